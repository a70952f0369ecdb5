// File: file_cache.h
//
// Files that were asked for lately, kept open, so that a hot file costs no system call:
//
//   FileCache cache(tree);
//   FileLookup found = cache.Get("/index.html", loop.now());
//
// Small files are kept by their bytes, with no descriptor. A file that was replaced or changed is
// noticed after max_age at the latest; who still sends the old one sends it to its end, for it is
// shared.
//
// Bounded by entries, descriptors and bytes; what was not asked for longest goes first. Only files
// are kept: what is missing or refused is looked for again, which costs one system call.
//
// Not thread-safe: one for each loop.

#ifndef STRATA_HTTP_FILE_CACHE_H_
#define STRATA_HTTP_FILE_CACHE_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

#include "strata/http/file_tree.h"

namespace strata::http {

struct FileCacheOptions {
  // Of paths: two paths to one file count twice. 0 keeps nothing.
  std::size_t max_entries = 1024;

  // Files kept open, compressed siblings included. What is being sent is open besides. Many systems
  // give a process 1024 descriptors, and there may be a cache for each loop.
  std::size_t max_open_files = 128;

  // A file of up to so many bytes is kept by its content, as long as all of these are not too many.
  std::size_t max_content_file_bytes = 16 * 1024;
  std::size_t max_content_bytes = 8 * 1024 * 1024;

  // For so long an entry is believed; then fstatat(2) tells whether it still holds.
  std::chrono::milliseconds max_age{std::chrono::seconds(1)};
};

class FileCache {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit FileCache(std::shared_ptr<const FileTree> tree, const FileCacheOptions& options = {});
  ~FileCache();
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;

  // What FileTree::Lookup() answers, or answered at most max_age before `now`. Blocks for the disk
  // if it has to look. If there is no descriptor left, gives up files that it keeps and tries
  // again.
  FileLookup Get(std::string_view path, TimePoint now);

  // The two halves of it, for a loop that has its workers look: the file, if it is kept and young
  // enough, else null; and a file that FileTree::Lookup() found for this path meanwhile. Insert()
  // reads small files' contents, and answers the file to send.
  std::shared_ptr<const ServedFile> Find(std::string_view path, TimePoint now);
  std::shared_ptr<const ServedFile> Insert(std::string_view path,
                                           std::shared_ptr<const ServedFile> file, TimePoint now);

  void Clear();

  const FileTree& tree() const { return *tree_; }

  // What is kept.
  std::size_t entries() const;
  std::size_t open_files() const { return open_files_; }
  std::size_t content_bytes() const { return content_bytes_; }

 private:
  struct Entry;
  struct Index;

  bool IsOld(const Entry& entry, TimePoint now) const;
  void Remove(Entry& entry);
  void RemoveOldest();
  bool IsOverFull() const;
  std::shared_ptr<const ServedFile> WithContents(std::shared_ptr<const ServedFile> file) const;

  const std::shared_ptr<const FileTree> tree_;
  const FileCacheOptions options_;
  const std::unique_ptr<Index> index_;
  std::size_t open_files_ = 0;
  std::size_t content_bytes_ = 0;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_FILE_CACHE_H_
