"""Records are saved and deleted here, whoever asks: API, pages, admin."""
