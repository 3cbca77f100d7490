"""What `scripts/bench` is made of. In reading order:

`workloads` (what a row is; the rows are in `small` and `bulk`, all of them in `suite`), `bars` (what must be reached),
`contest` (interleaved rounds of `contestants`, each a process of its own that runs `worker`), `clients/` (how each
library is asked; those that live `apart`), `servers` (nginx or granian, and our own `bulk_server` for transfers),
`report`. `bodies`, `fields`, `frames` and `machine` are below all of them.
"""
