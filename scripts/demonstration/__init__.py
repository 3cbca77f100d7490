"""What `scripts/demo` shows: `main` tells the story, `blocking` and `asynchronous` do the jobs."""
