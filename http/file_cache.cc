// The cache of files.

#include "strata/http/file_cache.h"

#include <list>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace strata::http {

struct FileCache::Entry {
  std::string path;
  std::shared_ptr<const ServedFile> file;
  TimePoint checked;
};

struct FileCache::Index {
  std::list<Entry> entries;  // The one asked for last first.
  absl::flat_hash_map<std::string_view, std::list<Entry>::iterator> by_path;

  // The entry's file, which now is the one asked for last.
  const std::shared_ptr<const ServedFile>& Use(std::list<Entry>::iterator entry) {
    entries.splice(entries.begin(), entries, entry);
    return entry->file;
  }
};

namespace {

struct Cost {
  std::size_t open_files = 0;
  std::size_t content_bytes = 0;
};

Cost CostOf(const ServedFile& file) {
  Cost cost;
  for (const FileVariant& variant : file.variants) {
    if (variant.file != nullptr) ++cost.open_files;
    if (variant.content != nullptr) cost.content_bytes += variant.content->size();
  }
  return cost;
}

}  // namespace

FileCache::FileCache(std::shared_ptr<const FileTree> tree, const FileCacheOptions& options)
    : tree_(std::move(tree)), options_(options), index_(std::make_unique<Index>()) {}

FileCache::~FileCache() = default;

bool FileCache::IsOld(const Entry& entry, TimePoint now) const {
  return now - entry.checked > options_.max_age;
}

std::size_t FileCache::entries() const { return index_->entries.size(); }

std::shared_ptr<const ServedFile> FileCache::Find(std::string_view path, TimePoint now) {
  const auto found = index_->by_path.find(path);
  if (found == index_->by_path.end() || IsOld(*found->second, now)) return nullptr;
  return index_->Use(found->second);
}

FileLookup FileCache::Get(std::string_view path, TimePoint now) {
  const auto found = index_->by_path.find(path);
  if (found != index_->by_path.end()) {
    Entry& entry = *found->second;
    if (!IsOld(entry, now)) {
      return {.outcome = FileOutcome::kFile, .file = index_->Use(found->second)};
    }
    if (tree_->IsCurrent(*entry.file)) {
      entry.checked = now;
      return {.outcome = FileOutcome::kFile, .file = index_->Use(found->second)};
    }
    Remove(entry);
  }
  FileLookup looked_up = tree_->Lookup(path);
  while (looked_up.outcome == FileOutcome::kTooManyFiles && open_files_ > 0) {
    // Half of them, for one alone would be taken by the next request.
    for (const std::size_t half = open_files_ / 2; open_files_ > half;) RemoveOldest();
    looked_up = tree_->Lookup(path);
  }
  if (looked_up.outcome == FileOutcome::kFile) {
    looked_up.file = Insert(path, std::move(looked_up.file), now);
  }
  return looked_up;
}

std::shared_ptr<const ServedFile> FileCache::Insert(std::string_view path,
                                                    std::shared_ptr<const ServedFile> file,
                                                    TimePoint now) {
  if (const auto found = index_->by_path.find(path); found != index_->by_path.end()) {
    Remove(*found->second);
  }
  file = WithContents(std::move(file));
  const Cost cost = CostOf(*file);
  index_->entries.push_front({.path = std::string(path), .file = file, .checked = now});
  index_->by_path.emplace(index_->entries.front().path, index_->entries.begin());
  open_files_ += cost.open_files;
  content_bytes_ += cost.content_bytes;
  // In the end also the new one, if it is too much on its own.
  while (IsOverFull()) RemoveOldest();
  return file;
}

// The same file with the contents of its small variants in place of descriptors. A variant that
// changes while it is read stays as it was opened.
std::shared_ptr<const ServedFile> FileCache::WithContents(
    std::shared_ptr<const ServedFile> file) const {
  std::shared_ptr<ServedFile> read;
  for (std::size_t i = 0; i < file->variants.size(); ++i) {
    const FileVariant& variant = file->variants[i];
    if (variant.file == nullptr || variant.size_bytes() > options_.max_content_file_bytes) continue;
    std::shared_ptr<const std::string> content = FileTree::Read(variant);
    if (content == nullptr) continue;
    if (read == nullptr) read = std::make_shared<ServedFile>(*file);
    read->variants[i].content = std::move(content);
    read->variants[i].file = nullptr;
  }
  if (read == nullptr) return file;
  return read;
}

bool FileCache::IsOverFull() const {
  return entries() > options_.max_entries || open_files_ > options_.max_open_files ||
         content_bytes_ > options_.max_content_bytes;
}

void FileCache::Remove(Entry& entry) {
  const Cost cost = CostOf(*entry.file);
  open_files_ -= cost.open_files;
  content_bytes_ -= cost.content_bytes;
  const auto found = index_->by_path.find(entry.path);
  const auto place = found->second;
  index_->by_path.erase(found);
  index_->entries.erase(place);
}

void FileCache::RemoveOldest() { Remove(index_->entries.back()); }

void FileCache::Clear() {
  while (!index_->entries.empty()) RemoveOldest();
}

}  // namespace strata::http
