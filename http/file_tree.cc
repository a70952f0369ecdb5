// Files below a folder.

#include "strata/http/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "strata/http/file_path_internal.h"
#include "strata/http/path_resolver_internal.h"

namespace strata::http {
namespace {

using std::chrono::sys_seconds;
using std::chrono::system_clock;

// Names of a folder that List() reads, served or not, for each entry that it may answer.
constexpr std::size_t kNamesPerEntry = 16;

std::string_view ExtensionOfCoding(FileCoding coding) {
  switch (coding) {
    case FileCoding::kGzip:
      return ".gz";
    case FileCoding::kBrotli:
      return ".br";
    case FileCoding::kZstd:
      return ".zst";
    case FileCoding::kIdentity:
      break;
  }
  return "";
}

FileOutcome OutcomeOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      return FileOutcome::kNotFound;
    case EACCES:
    case EPERM:
    case ELOOP:  // A link, or too many.
    case EXDEV:  // A link that leads out.
    case ENXIO:  // A socket, or a device that is not there.
    case ENODEV:
      return FileOutcome::kForbidden;
    case EMFILE:
    case ENFILE:
      return FileOutcome::kTooManyFiles;
    default:
      return FileOutcome::kFailed;
  }
}

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileStamp StampOf(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size_bytes = static_cast<std::uint64_t>(status.st_size),
          .modified_ns = Nanoseconds(status.st_mtim),
          .changed_ns = Nanoseconds(status.st_ctim)};
}

sys_seconds SecondsOf(const timespec& time) {
  return sys_seconds(std::chrono::seconds(time.tv_sec));
}

bool IsSettled(const FileStamp& stamp) {
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(system_clock::now().time_since_epoch());
  return now - std::chrono::nanoseconds(stamp.modified_ns) >= kEtagSettles;
}

FilePathRules RulesOf(const FileTreeOptions& options) {
  return {.all_dot_names = options.dot_names == DotNames::kAll,
          .well_known = options.dot_names == DotNames::kWellKnown,
          .merge_slashes = options.merge_slashes};
}

}  // namespace

struct FileTree::OpenedFile {
  std::shared_ptr<const net::File> file;
  struct stat status;
};

std::string_view FileCodingName(FileCoding coding) {
  switch (coding) {
    case FileCoding::kGzip:
      return "gzip";
    case FileCoding::kBrotli:
      return "br";
    case FileCoding::kZstd:
      return "zstd";
    case FileCoding::kIdentity:
      break;
  }
  return "";
}

Validators FileVariant::validators() const {
  return {.etag = ParseEntityTag(etag), .last_modified = last_modified};
}

const FileVariant& ServedFile::Select(std::span<const FileCoding> accepted) const {
  for (const FileCoding coding : accepted) {
    for (const FileVariant& variant : variants) {
      if (variant.coding == coding) return variant;
    }
  }
  return variants.front();
}

absl::StatusOr<std::shared_ptr<const FileTree>> FileTree::Open(const std::string& root,
                                                               FileTreeOptions options) {
  const std::string& index = options.index;
  if (!index.empty()) {
    std::string name;
    bool folder;
    const FilePathRules any_name = {.all_dot_names = true};
    if (ParseFilePath(index, any_name, &name, &folder) != FilePathVerdict::kGood ||
        name.find('/') != std::string::npos || name != index) {
      return absl::InvalidArgumentError(
          absl::StrCat("the index is no name: \"", absl::CHexEscape(index), "\""));
    }
  }
  const int folder = ::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    if (errno == ENOTDIR) return absl::FailedPreconditionError(absl::StrCat(root, " is no folder"));
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", root));
  }
  return std::shared_ptr<const FileTree>(new FileTree(folder, std::move(options)));
}

FileTree::FileTree(net::NativeFile root, FileTreeOptions options)
    : root_(root),
      options_(std::move(options)),
      resolver_(
          std::make_unique<const PathResolver>(root, options_.symlinks, options_.use_openat2)) {}

FileTree::~FileTree() { ::close(root_); }

FileLookup FileTree::Lookup(std::string_view path) const {
  std::string name;
  bool folder = false;
  const FileOutcome outcome = ParsePath(path, &name, &folder);
  if (outcome != FileOutcome::kFile) return {.outcome = outcome, .file = nullptr};
  return folder ? LookupFolder(name) : LookupFile(name);
}

// kFile if it is good.
FileOutcome FileTree::ParsePath(std::string_view path, std::string* name, bool* folder) const {
  switch (ParseFilePath(path, RulesOf(options_), name, folder)) {
    case FilePathVerdict::kGood:
      return FileOutcome::kFile;
    case FilePathVerdict::kMissing:
      return FileOutcome::kNotFound;
    case FilePathVerdict::kBad:
      break;
  }
  return FileOutcome::kBadPath;
}

// kFile and the file, kAddSlash for a folder, or what is wrong.
FileOutcome FileTree::OpenFile(const std::string& name, OpenedFile* opened) const {
  // Not blocking: a FIFO without a writer would hold us up before we see that it is no file.
  int file = resolver_->Open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  // A folder that may be entered, though not read, has its slash too.
  if (file == -EACCES) {
    const int folder = resolver_->Open(name, O_PATH | O_DIRECTORY);
    if (folder >= 0) file = folder;
  }
  if (file < 0) return OutcomeOf(-file);
  if (::fstat(file, &opened->status) != 0) {
    const int error = errno;
    ::close(file);
    return OutcomeOf(error);
  }
  if (!S_ISREG(opened->status.st_mode)) {
    ::close(file);
    return S_ISDIR(opened->status.st_mode) ? FileOutcome::kAddSlash : FileOutcome::kForbidden;
  }
  opened->file =
      std::make_shared<const net::File>(file, static_cast<std::uint64_t>(opened->status.st_size));
  return FileOutcome::kFile;
}

FileLookup FileTree::LookupFile(const std::string& name) const {
  OpenedFile opened;
  const FileOutcome outcome = OpenFile(name, &opened);
  if (outcome != FileOutcome::kFile) return {.outcome = outcome, .file = nullptr};
  auto file = std::make_shared<ServedFile>();
  file->path = name;
  file->variants.push_back(MakeVariant(std::move(opened), FileCoding::kIdentity));
  AddSiblings(*file);
  return {.outcome = FileOutcome::kFile, .file = std::move(file)};
}

FileLookup FileTree::LookupFolder(const std::string& name) const {
  if (!options_.index.empty()) {
    FileLookup index =
        LookupFile(name.empty() ? options_.index : absl::StrCat(name, "/", options_.index));
    // A folder of that name is no index.
    const bool none =
        index.outcome == FileOutcome::kNotFound || index.outcome == FileOutcome::kAddSlash;
    if (!none) return index;
  }
  const int folder = resolver_->Open(name, O_PATH | O_DIRECTORY);
  if (folder < 0) return {.outcome = OutcomeOf(-folder), .file = nullptr};
  ::close(folder);
  return {.outcome = FileOutcome::kFolder, .file = nullptr};
}

void FileTree::AddSiblings(ServedFile& file) const {
  for (const FileCoding coding : options_.precompressed) {
    OpenedFile opened;
    if (coding == FileCoding::kIdentity ||
        OpenFile(file.path + std::string(ExtensionOfCoding(coding)), &opened) !=
            FileOutcome::kFile ||
        Nanoseconds(opened.status.st_mtim) < file.variants.front().stamp.modified_ns) {
      continue;
    }
    file.variants.push_back(MakeVariant(std::move(opened), coding));
  }
}

FileVariant FileTree::MakeVariant(OpenedFile opened, FileCoding coding) const {
  FileVariant variant;
  variant.coding = coding;
  variant.file = std::move(opened.file);
  variant.stamp = StampOf(opened.status);
  const bool weak = options_.weak_etags || !IsSettled(variant.stamp);
  absl::StrAppend(&variant.etag, weak ? "W/\"" : "\"");
  if (options_.etag_has_inode) absl::StrAppend(&variant.etag, absl::Hex(variant.stamp.inode), "-");
  absl::StrAppend(&variant.etag, absl::Hex(variant.stamp.size_bytes), "-",
                  absl::Hex(variant.stamp.modified_ns), ExtensionOfCoding(coding), "\"");
  variant.last_modified = std::min(SecondsOf(opened.status.st_mtim),
                                   std::chrono::floor<std::chrono::seconds>(system_clock::now()));
  FormatHttpDate(variant.last_modified, variant.last_modified_date);
  return variant;
}

bool FileTree::IsCurrent(const ServedFile& file) const {
  const auto stat_of = [this](const std::string& name, struct stat* status) {
    return ::fstatat(root_, name.c_str(), status, 0) == 0 && S_ISREG(status->st_mode);
  };
  const auto is_current = [&](const FileVariant& variant) {
    // By name alone, for if the same file is still there, it does not matter by which way.
    struct stat status;
    const std::string name = absl::StrCat(file.path, ExtensionOfCoding(variant.coding));
    if (!stat_of(name, &status) || StampOf(status) != variant.stamp) return false;
    const bool only_young = !options_.weak_etags && variant.etag.starts_with('W');
    return !only_young || !IsSettled(variant.stamp);
  };
  if (!std::all_of(file.variants.begin(), file.variants.end(), is_current)) return false;
  // A sibling that was not there, or too old.
  return std::all_of(
      options_.precompressed.begin(), options_.precompressed.end(), [&](FileCoding coding) {
        if (file.Select({&coding, 1}).coding == coding) return true;
        struct stat status;
        return !stat_of(absl::StrCat(file.path, ExtensionOfCoding(coding)), &status) ||
               Nanoseconds(status.st_mtim) < file.variants.front().stamp.modified_ns;
      });
}

std::shared_ptr<const std::string> FileTree::Read(const FileVariant& variant) {
  const std::size_t size = variant.size_bytes();
  auto content = std::make_shared<std::string>(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const absl::StatusOr<std::size_t> read =
        variant.file->ReadAt(done, std::span(*content).subspan(done));
    if (!read.ok() || *read == 0) return nullptr;
    done += *read;
  }
  struct stat status;
  if (::fstat(variant.file->native(), &status) != 0) return nullptr;
  // Not the time of change of anything: to be renamed or linked changes no content.
  FileStamp stamp = StampOf(status);
  stamp.changed_ns = variant.stamp.changed_ns;
  return stamp == variant.stamp ? std::move(content) : nullptr;
}

FolderLookup FileTree::List(std::string_view path) const {
  FolderLookup result;
  std::string name;
  bool asks_for_folder;
  result.outcome = ParsePath(path, &name, &asks_for_folder);
  if (result.outcome != FileOutcome::kFile) return result;
  const int folder = resolver_->Open(name, O_RDONLY | O_DIRECTORY);
  if (folder < 0) {
    result.outcome = OutcomeOf(-folder);
    return result;
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> names(::fdopendir(folder), ::closedir);
  if (names == nullptr) {
    result.outcome = OutcomeOf(errno);
    ::close(folder);
    return result;
  }
  result.outcome = FileOutcome::kFolder;
  FolderListing& listing = result.listing;
  const std::size_t most = kNamesPerEntry * (options_.max_listed + 1);
  for (std::size_t read = 0;; ++read) {
    errno = 0;
    const dirent* const entry = ::readdir(names.get());
    if (entry == nullptr) {
      if (errno != 0) result.outcome = OutcomeOf(errno);
      break;
    }
    if (read == most) listing.truncated = true;
    if (listing.truncated) break;
    AppendEntry(folder, name, entry->d_name, listing);
  }
  SortListing(listing);
  return result;
}

// Adds what Lookup() would find under this name, or says that there is more than fits.
void FileTree::AppendEntry(int folder, const std::string& folder_name, std::string_view name,
                           FolderListing& listing) const {
  const std::string path =
      folder_name.empty() ? std::string(name) : absl::StrCat(folder_name, "/", name);
  if (name == "." || name == ".." || name.find('\\') != std::string_view::npos ||
      IsHiddenName(name, folder_name.empty(), RulesOf(options_)) ||
      path.size() > kMaxFilePathBytes) {
    return;
  }
  struct stat status;
  if (::fstatat(folder, name.data(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;  // Gone again.
  if (S_ISLNK(status.st_mode)) {
    const int target = resolver_->Open(path, O_PATH);
    if (target < 0) return;
    const bool known = ::fstat(target, &status) == 0;
    ::close(target);
    if (!known) return;
  }
  const bool is_folder = S_ISDIR(status.st_mode);
  if (!is_folder && !S_ISREG(status.st_mode)) return;
  if (listing.entries.size() >= options_.max_listed) {
    listing.truncated = true;
    return;
  }
  listing.entries.push_back(
      {.name = std::string(name),
       .folder = is_folder,
       .size_bytes = is_folder ? 0 : static_cast<std::uint64_t>(status.st_size),
       .modified = SecondsOf(status.st_mtim)});
}

}  // namespace strata::http
