"""A file here is a text model that a package carries and runs by code of its own.

`packaged/<name of the file>` is how parameters call it. It has PACKAGE and INSTALL (which package,
and how to get it), FILES (those of the model, with the SHA-256 of each), `find_files() -> Path`
(their folder in the package) and `open_model(folder) -> encode`, of M texts as [M, E] float32, in
which what is made of a text does not depend on the number of threads.
"""
