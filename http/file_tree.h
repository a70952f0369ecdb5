// File: file_tree.h
//
// The files below one folder, found by the path of a request and by nothing else: no path, link or
// rename leads out of it.
//
//   absl::StatusOr<std::shared_ptr<const FileTree>> tree = FileTree::Open("/srv/www");
//   FileLookup found = (*tree)->Lookup("/docs/");  // /srv/www/docs/index.html
//   if (found.outcome == FileOutcome::kFile) {
//     const FileVariant& variant = found.file->Select({{FileCoding::kBrotli, FileCoding::kGzip}});
//     ... variant.etag, variant.last_modified_text(), variant.content or variant.file
//   }
//
// Paths are those of requests after percent-decoding: any bytes. The root is opened once, as a
// folder, and everything is resolved below it: by openat2(2) with RESOLVE_BENEATH where the kernel
// has that (5.6), by opening one name after the other without following links elsewhere. If the
// root's own path comes to lead to another folder, the tree is still the old one; open it anew.
//
// Functions are thread-safe. They block as long as the disk does: FileCache (file_cache.h) spares
// that for what is asked for often, and a worker can do it for the rest.

#ifndef STRATA_HTTP_FILE_TREE_H_
#define STRATA_HTTP_FILE_TREE_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/http/conditional.h"
#include "strata/http/file_listing.h"
#include "strata/http/http_date.h"
#include "strata/net/file.h"

namespace strata::http {

class PathResolver;

// Which symbolic links below the root are followed. What is not is kForbidden.
enum class SymlinkPolicy : std::uint8_t {
  kNever,
  kBeneathRoot,  // Relative ones, if they nowhere leave the root. "/..." always leaves it.
  kFollow,       // All: whoever may make links in the tree may publish any file.
};

// Which names that begin with a dot are served. The others are kNotFound, and in no listing.
enum class DotNames : std::uint8_t {
  kNone,
  kWellKnown,  // "/.well-known/" (RFC 8615) alone.
  kAll,        // Never "." and "..", of course.
};

// How a file is compressed that stands beside another: "app.js.gz" beside "app.js".
enum class FileCoding : std::uint8_t { kIdentity, kGzip, kBrotli, kZstd };

// As in Content-Encoding: "gzip", "br", "zstd"; empty for kIdentity.
std::string_view FileCodingName(FileCoding coding);

struct FileTreeOptions {
  SymlinkPolicy symlinks = SymlinkPolicy::kBeneathRoot;
  DotNames dot_names = DotNames::kWellKnown;

  // "/a//b": else kNotFound, as a rule for "/a/" elsewhere may not think of it.
  bool merge_slashes = false;

  // The file that stands for its folder, one name; empty for none.
  std::string index = "index.html";

  // Siblings to look for, each a system call more when a file is opened. One counts that is not
  // older than the file itself.
  std::vector<FileCoding> precompressed = {};

  // Entity tags are made of inode, size and time of change in nanoseconds. Without the inode they
  // are the same on several machines that were given the same files with their times.
  bool etag_has_inode = true;
  bool weak_etags = false;

  // List() stops after so many entries, and after 16 times as many names that are not served.
  std::size_t max_listed = 4096;

  // False: does not even try openat2(2), as on a kernel without it.
  bool use_openat2 = true;
};

enum class FileOutcome : std::uint8_t {
  kFile,
  kFolder,        // Asked for with a slash at the end, and there is no index: List() it, or 403.
  kAddSlash,      // A folder, asked for without: redirect to the same path with a slash.
  kNotFound,      // 404
  kBadPath,       // 400: "." or "..", a null byte, a backslash.
  kForbidden,     // 403: no permission, a link that may not be followed, no file (device, socket).
  kTooManyFiles,  // 503: no descriptor is left.
  kFailed,        // 500: the disk, memory.
};

// What tells one state of a file from another.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // Since 1970, of the content.
  std::int64_t changed_ns = 0;   // Since 1970, of anything.

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// One representation of a file: itself, or a compressed sibling.
struct FileVariant {
  FileCoding coding = FileCoding::kIdentity;

  // Either is null. If it is `file`, send size_bytes() of it: it may have grown since.
  std::shared_ptr<const net::File> file;
  std::shared_ptr<const std::string> content;

  FileStamp stamp;

  // With its quotes. Weak, as long as the file has been unchanged for less than kEtagSettles, for
  // then a change within the same tick of the file system's clock would not show.
  std::string etag;

  // No later than when the file was opened.
  std::chrono::sys_seconds last_modified;
  std::array<char, kHttpDateBytes> last_modified_date;

  std::uint64_t size_bytes() const { return stamp.size_bytes; }
  std::string_view last_modified_text() const {
    return {last_modified_date.data(), last_modified_date.size()};
  }

  // For EvaluatePreconditions(). They live as long as this.
  Validators validators() const;
};

// FAT counts two seconds at a time, and no file system fewer.
inline constexpr std::chrono::seconds kEtagSettles{2};

// A file that was found. Immutable, so for any number of threads.
struct ServedFile {
  // Below the root, without a slash before it; names the index, if that was found. Its extension
  // tells the media type.
  std::string path;

  // kIdentity first. If there are more, the response varies by Accept-Encoding.
  std::vector<FileVariant> variants;

  // The first of these codings, in the order given, that there is; else kIdentity.
  const FileVariant& Select(std::span<const FileCoding> accepted) const;
};

struct FileLookup {
  FileOutcome outcome = FileOutcome::kNotFound;
  std::shared_ptr<const ServedFile> file;  // With kFile, else null.
};

struct FolderLookup {
  FileOutcome outcome = FileOutcome::kNotFound;
  FolderListing listing;  // With kFolder.
};

class FileTree {
 public:
  // NotFound, PermissionDenied, FailedPrecondition (it is no folder) with the path in the text;
  // InvalidArgument for an index that is no name.
  static absl::StatusOr<std::shared_ptr<const FileTree>> Open(const std::string& root,
                                                              FileTreeOptions options = {});

  ~FileTree();
  FileTree(const FileTree&) = delete;
  FileTree& operator=(const FileTree&) = delete;

  const FileTreeOptions& options() const { return options_; }

  // Finds what a path asks for; it may begin with a slash or not, and ends in one for a folder.
  FileLookup Lookup(std::string_view path) const;

  // What a folder holds, sorted: files and folders that Lookup() would find, unless permissions are
  // in the way. kFolder, or what is wrong. A system call for each entry.
  FolderLookup List(std::string_view path) const;

  // Whether Lookup() would still find this file in this state, with the same siblings. Where it can
  // not tell, no.
  bool IsCurrent(const ServedFile& file) const;

  // The bytes of a variant's `file`, or null if they could not be read or have changed since it was
  // opened.
  static std::shared_ptr<const std::string> Read(const FileVariant& variant);

 private:
  struct OpenedFile;

  FileTree(net::NativeFile root, FileTreeOptions options);

  FileOutcome ParsePath(std::string_view path, std::string* name, bool* folder) const;
  FileOutcome OpenFile(const std::string& name, OpenedFile* opened) const;
  FileLookup LookupFile(const std::string& name) const;
  FileLookup LookupFolder(const std::string& name) const;
  void AddSiblings(ServedFile& file) const;
  FileVariant MakeVariant(OpenedFile opened, FileCoding coding) const;
  void AppendEntry(int folder, const std::string& folder_name, std::string_view name,
                   FolderListing& listing) const;

  net::NativeFile root_;
  FileTreeOptions options_;
  std::unique_ptr<const PathResolver> resolver_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_FILE_TREE_H_
