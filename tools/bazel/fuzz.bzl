"""strata_fuzz_test: a fuzz target that every configuration runs a little of.

The source has LLVMFuzzerTestOneInput(). As an ordinary test it gets each file of its corpus and some
thousand random changes of these, by a seed that is printed: enough to find what a change has broken,
under the sanitizers too. With `--config=fuzz` libFuzzer drives it instead, for FUZZ_SECONDS.
"""

load("//tools/bazel:cc.bzl", "strata_cc_test")

def strata_fuzz_test(name, srcs, corpus, deps, **kwargs):
    """A fuzz target.

    Args:
      name: the test.
      srcs: sources, with LLVMFuzzerTestOneInput().
      corpus: files to begin with, at least one.
      deps: what it fuzzes.
      **kwargs: as of a cc_test.
    """
    strata_cc_test(
        name = name,
        size = "small",
        srcs = srcs,
        args = ["$(location %s)" % file for file in corpus],
        data = corpus,
        linkopts = select({
            "//tools/bazel/fuzz:by_libfuzzer": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        tags = ["fuzz"] + kwargs.pop("tags", []),
        deps = deps + select({
            "//tools/bazel/fuzz:by_libfuzzer": [],
            "//conditions:default": ["//tools/bazel/fuzz:driver"],
        }),
        **kwargs
    )
