"""The files that users write, as typed and validated structs; names and hashes."""
