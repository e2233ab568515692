"""Making a plain Linux machine a host: over SSH, repeatable, and undone by `removal`.

`facts` looks, `software` is brought along, `layout` and `texts` say what lies where, and
`preparation` does one step after the other.
"""
