"""Bodies in and out. Floor 2: knows bytes, text and files, and nothing of requests or connections.

Read in this order:

    streams      what a body is: something to iterate over, blocking or not, once or again
    encode       content=, data=, files=, json= -> headers and a stream
    forms        application/x-www-form-urlencoded
    files        binary files as bodies: their length, their pieces
    parts        the parts of a form with files: `Part`, and what each one's head says
    multipart    multipart/form-data
    pulling      reading what is made of several sources, blocking or awaited
    decode       Content-Encoding undone: gzip, deflate, br, zstd, in bounded pieces
    text         bytes -> text -> lines and chunks
    media_type   the parameters of a Content-Type
    types        what callers may hand over, as type aliases
"""
