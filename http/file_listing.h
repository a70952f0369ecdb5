// File: file_listing.h
//
// What a folder holds, as a page for people and as JSON for programs:
//
//   FolderListing listing = ...;  // FileTree::List()
//   std::string page = FormatListingHtml(listing, "/music/");
//
// Names come from whoever may write to the folder, so nothing in them is trusted: in HTML they are
// escaped and link to nothing but themselves, in JSON they are strings, and what is not UTF-8
// becomes U+FFFD in both (a link still leads to the very bytes of the name).

#ifndef STRATA_HTTP_FILE_LISTING_H_
#define STRATA_HTTP_FILE_LISTING_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace strata::http {

struct FolderEntry {
  std::string name;  // One name, without a slash.
  bool folder = false;
  std::uint64_t size_bytes = 0;  // Of a file.
  std::chrono::sys_seconds modified;
};

struct FolderListing {
  std::vector<FolderEntry> entries;

  // Whether the folder has more than was listed.
  bool truncated = false;
};

// Folders first, then by the bytes of the names.
void SortListing(FolderListing& listing);

// A page in UTF-8 ("text/html; charset=utf-8"), without style or script. `path` is the request's,
// as decoded, for the title; if it is not "/" the page links to the folder above. Links are
// relative to a path that ends in a slash.
std::string FormatListingHtml(const FolderListing& listing, std::string_view path);

// "application/json", one object:
//
//   {"path":"/music/","truncated":false,"entries":[
//   {"name":"a.mp3","type":"file","size":123,"modified":"Sun, 06 Nov 1994 08:49:37 GMT"},
//   {"name":"b","type":"folder","modified":"Sun, 06 Nov 1994 08:49:37 GMT"}]}
std::string FormatListingJson(const FolderListing& listing, std::string_view path);

}  // namespace strata::http

#endif  // STRATA_HTTP_FILE_LISTING_H_
