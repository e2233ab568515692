"""The caretaker: brings what runs back to what is wanted, between dispatches."""
