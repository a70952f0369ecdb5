// File: static_files.h
//
// Files below a folder as a handler, for a route that captures the rest of the path:
//
//   auto tree = FileTree::Open("/srv/www", {.precompressed = {FileCoding::kBrotli}});
//   if (!tree.ok()) return tree.status();
//   router.Get("/{path...}", StaticFiles(*tree, {.cache_control = "max-age=3600"}));
//
// GET and HEAD, with everything that RFC 9110 has for files: media types, entity tags and dates,
// all conditional requests, one range or several, compressed siblings by Accept-Encoding. What is
// sent comes from memory for small files and by sendfile(2) for others. No path leads out of the
// folder: file_tree.h tells how.

#ifndef STRATA_HTTP_STATIC_FILES_H_
#define STRATA_HTTP_STATIC_FILES_H_

#include <memory>
#include <string>

#include "strata/http/file_cache.h"
#include "strata/http/file_tree.h"
#include "strata/http/handler.h"
#include "strata/http/mime.h"

namespace strata::http {

struct StaticFilesOptions {
  // The capture that the path is in.
  std::string param = "path";

  // The field Cache-Control of files; empty for none.
  std::string cache_control = {};

  // Whether a folder without an index is listed, as HTML or, for who accepts that alone, JSON. Else
  // 403.
  bool list_folders = false;

  MediaTypes types = MediaTypes();

  // One cache for each loop.
  FileCacheOptions cache = {};
};

// Looks a file up on the loop where it is not in the cache, which blocks as long as the disk does:
// a few microseconds where the folders are in memory. On a slow disk, more loops help.
Handler StaticFiles(std::shared_ptr<const FileTree> tree, StaticFilesOptions options = {});

}  // namespace strata::http

#endif  // STRATA_HTTP_STATIC_FILES_H_
