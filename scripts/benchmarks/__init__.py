"""What `scripts/bench` is made of. In reading order:

`workloads` (what is measured), `bars` (what it must reach), `contest` (interleaved rounds of `contestants`,
each a process of its own that runs `worker`), `clients/` (how each library is asked), `servers` (nginx or
granian, and our own `bulk_server` for transfers), `report`. `bodies` and `machine` are below all of them.
"""
