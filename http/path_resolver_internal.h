// File: path_resolver_internal.h
//
// Opens what lies below a folder, and nothing else, whatever is renamed or linked meanwhile.

#ifndef STRATA_HTTP_PATH_RESOLVER_INTERNAL_H_
#define STRATA_HTTP_PATH_RESOLVER_INTERNAL_H_

#include <string>

#include "strata/http/file_tree.h"

namespace strata::http {

// Immutable, so for any number of threads.
class PathResolver {
 public:
  // `root` is the descriptor of a folder, which stays the caller's.
  PathResolver(int root, SymlinkPolicy policy, bool use_openat2);

  // Opens `path` with open(2)'s `flags` (O_CLOEXEC is added; never O_CREAT). The path is relative,
  // of names joined by single slashes, none of them "." or ".."; empty is the root itself. Answers
  // a descriptor, or an error's negative number; ELOOP and EXDEV for what links must not do.
  int Open(const std::string& path, int flags) const;

  bool uses_openat2() const { return use_openat2_; }

 private:
  int root_;
  SymlinkPolicy policy_;
  bool use_openat2_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_PATH_RESOLVER_INTERNAL_H_
