"""What httpx's users know, name by name and parameter by parameter, held against httpure."""
