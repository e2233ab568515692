"""How values read for people, wherever they are shown. Pure; imports nothing of ours."""
