"""The programs of a README.md, for tests that build and run them as they stand there."""

def readme_programs(names):
    """Makes NAME.cc of each block of C++ in the package's README.md, in their order.

    Args:
      names: of the first blocks; further ones are left out.
    """
    for i, name in enumerate(names):
        native.genrule(
            name = name + "_source",
            srcs = ["README.md"],
            outs = [name + ".cc"],
            cmd = "awk '/^```cpp$$/ { block++ } /^```/ { inside = /cpp$$/; next } " +
                  "inside && block == %d' $< > $@" % (i + 1),
        )
