// Media types.

#include "strata/http/mime.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace strata::http {
namespace {

struct Row {
  std::string_view extension;  // In lower case.
  std::string_view type;
};

// Names as registered by IANA (https://www.iana.org/assignments/media-types, and RFC 9239 for
// JavaScript); where there is none, the one in common use. Sorted by extension.
constexpr Row kRows[] = {
    {"3g2", "video/3gpp2"},
    {"3gp", "video/3gpp"},
    {"3mf", "model/3mf"},
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"ai", "application/postscript"},
    {"aif", "audio/aiff"},
    {"aiff", "audio/aiff"},
    {"apk", "application/vnd.android.package-archive"},
    {"apng", "image/apng"},
    {"appcache", "text/cache-manifest; charset=utf-8"},
    {"atom", "application/atom+xml"},
    {"avi", "video/x-msvideo"},
    {"avif", "image/avif"},
    {"bin", "application/octet-stream"},
    {"bmp", "image/bmp"},
    {"br", "application/x-brotli"},
    {"bz2", "application/x-bzip2"},
    {"c", "text/x-c; charset=utf-8"},
    {"cbor", "application/cbor"},
    {"cc", "text/x-c; charset=utf-8"},
    {"cer", "application/pkix-cert"},
    {"cjs", "text/javascript; charset=utf-8"},
    {"conf", "text/plain; charset=utf-8"},
    {"cpp", "text/x-c; charset=utf-8"},
    {"crl", "application/pkix-crl"},
    {"crt", "application/x-x509-ca-cert"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"cur", "image/x-icon"},
    {"dart", "text/x-dart; charset=utf-8"},
    {"deb", "application/vnd.debian.binary-package"},
    {"der", "application/x-x509-ca-cert"},
    {"diff", "text/x-diff; charset=utf-8"},
    {"dll", "application/octet-stream"},
    {"dmg", "application/x-apple-diskimage"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"dtd", "application/xml-dtd"},
    {"ear", "application/java-archive"},
    {"eot", "application/vnd.ms-fontobject"},
    {"eps", "application/postscript"},
    {"epub", "application/epub+zip"},
    {"exe", "application/octet-stream"},
    {"flac", "audio/flac"},
    {"flv", "video/x-flv"},
    {"geojson", "application/geo+json"},
    {"gif", "image/gif"},
    {"glb", "model/gltf-binary"},
    {"gltf", "model/gltf+json"},
    {"go", "text/x-go; charset=utf-8"},
    {"gpx", "application/gpx+xml"},
    {"gz", "application/gzip"},
    {"h", "text/x-c; charset=utf-8"},
    {"heic", "image/heic"},
    {"heif", "image/heif"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/x-icon"},
    {"ics", "text/calendar; charset=utf-8"},
    {"img", "application/octet-stream"},
    {"ini", "text/plain; charset=utf-8"},
    {"iso", "application/x-iso9660-image"},
    {"jar", "application/java-archive"},
    {"java", "text/x-java; charset=utf-8"},
    {"jfif", "image/jpeg"},
    {"jpe", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"jsonl", "application/jsonl"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"kml", "application/vnd.google-earth.kml+xml"},
    {"kmz", "application/vnd.google-earth.kmz"},
    {"log", "text/plain; charset=utf-8"},
    {"lz", "application/lzip"},
    {"m3u", "audio/x-mpegurl"},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"m4a", "audio/mp4"},
    {"m4s", "video/iso.segment"},
    {"m4v", "video/mp4"},
    {"map", "application/json"},
    {"markdown", "text/markdown; charset=utf-8"},
    {"mathml", "application/mathml+xml"},
    {"md", "text/markdown; charset=utf-8"},
    {"mid", "audio/midi"},
    {"midi", "audio/midi"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mkv", "video/matroska"},
    {"mml", "application/mathml+xml"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpd", "application/dash+xml"},
    {"mpeg", "video/mpeg"},
    {"mpg", "video/mpeg"},
    {"msi", "application/octet-stream"},
    {"n3", "text/n3; charset=utf-8"},
    {"ndjson", "application/x-ndjson"},
    {"nt", "application/n-triples"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"ogx", "application/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"p12", "application/x-pkcs12"},
    {"p7b", "application/x-pkcs7-certificates"},
    {"p7m", "application/pkcs7-mime"},
    {"p7s", "application/pkcs7-signature"},
    {"parquet", "application/vnd.apache.parquet"},
    {"patch", "text/x-diff; charset=utf-8"},
    {"pdf", "application/pdf"},
    {"pem", "application/x-pem-file"},
    {"pfx", "application/x-pkcs12"},
    {"pgp", "application/pgp-encrypted"},
    {"png", "image/png"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"proto", "text/plain; charset=utf-8"},
    {"ps", "application/postscript"},
    {"psd", "image/vnd.adobe.photoshop"},
    {"py", "text/x-python; charset=utf-8"},
    {"rar", "application/vnd.rar"},
    {"rdf", "application/rdf+xml"},
    {"rpm", "application/x-redhat-package-manager"},
    {"rs", "text/x-rust; charset=utf-8"},
    {"rss", "application/rss+xml"},
    {"rtf", "application/rtf"},
    {"sgml", "text/sgml; charset=utf-8"},
    {"sh", "application/x-sh"},
    {"sql", "application/sql"},
    {"sqlite", "application/vnd.sqlite3"},
    {"stl", "model/stl"},
    {"svg", "image/svg+xml"},
    {"svgz", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tcl", "application/x-tcl"},
    {"text", "text/plain; charset=utf-8"},
    {"tgz", "application/gzip"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", "application/toml"},
    {"topojson", "application/json"},
    {"torrent", "application/x-bittorrent"},
    {"ts", "video/mp2t"},
    {"tsv", "text/tab-separated-values; charset=utf-8"},
    {"ttc", "font/collection"},
    {"ttf", "font/ttf"},
    {"ttl", "text/turtle; charset=utf-8"},
    {"txt", "text/plain; charset=utf-8"},
    {"usdz", "model/vnd.usdz+zip"},
    {"vcard", "text/vcard; charset=utf-8"},
    {"vcf", "text/vcard; charset=utf-8"},
    {"vsd", "application/vnd.visio"},
    {"vtt", "text/vtt; charset=utf-8"},
    {"war", "application/java-archive"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xht", "application/xhtml+xml"},
    {"xhtml", "application/xhtml+xml"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "application/xml"},
    {"xpi", "application/x-xpinstall"},
    {"xsd", "application/xml"},
    {"xsl", "application/xslt+xml"},
    {"xslt", "application/xslt+xml"},
    {"xz", "application/x-xz"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

constexpr bool Before(const Row& row, std::string_view extension) {
  return row.extension < extension;
}

static_assert(std::is_sorted(std::begin(kRows), std::end(kRows),
                             [](const Row& a, const Row& b) { return Before(a, b.extension); }));
static_assert(std::all_of(std::begin(kRows), std::end(kRows), [](const Row& row) {
  return row.extension.size() <= kMaxExtensionBytes;
}));

// An extension in lower case, in memory of its own; empty for one that is too long for any table.
class LowerCase {
 public:
  explicit LowerCase(std::string_view extension) {
    if (extension.size() > text_.size()) return;
    size_ = extension.size();
    std::transform(extension.begin(), extension.end(), text_.begin(),
                   [](char c) { return absl::ascii_tolower(static_cast<unsigned char>(c)); });
  }

  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, kMaxExtensionBytes> text_;
  std::size_t size_ = 0;
};

std::string_view FindBuiltIn(std::string_view lower_case) {
  const Row* const row = std::lower_bound(std::begin(kRows), std::end(kRows), lower_case, Before);
  return row != std::end(kRows) && row->extension == lower_case ? row->type : std::string_view();
}

bool IsVisible(char c) { return c > ' ' && c <= '~'; }

absl::Status CheckExtension(std::string_view extension) {
  if (extension.empty() || extension.size() > kMaxExtensionBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("an extension has 1 to ", kMaxExtensionBytes, " characters"));
  }
  for (const char c : extension) {
    if (!IsVisible(c) || c == '.' || c == '/' || c == '\\') {
      return absl::InvalidArgumentError(
          absl::StrCat("no extension: \"", absl::CHexEscape(extension), "\""));
    }
  }
  return absl::OkStatus();
}

// Not the whole grammar, but that it has a slash and cannot end its field or begin another.
absl::Status CheckType(std::string_view type) {
  const std::size_t slash = type.find('/');
  const bool printable =
      std::all_of(type.begin(), type.end(), [](char c) { return IsVisible(c) || c == ' '; });
  if (printable && slash != 0 && slash < type.size() - 1 && type.front() != ' ' &&
      type.back() != ' ') {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no media type: \"", absl::CHexEscape(type), "\""));
}

}  // namespace

std::string_view ExtensionOf(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  return dot == 0 || dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

std::string_view FindMediaType(std::string_view extension) {
  return FindBuiltIn(LowerCase(extension).text());
}

std::string_view MediaTypeOf(std::string_view path) {
  const std::string_view type = FindMediaType(ExtensionOf(path));
  return type.empty() ? kDefaultMediaType : type;
}

absl::Status MediaTypes::Add(std::string_view extension, std::string_view type) {
  if (absl::Status status = CheckExtension(extension); !status.ok()) return status;
  if (absl::Status status = CheckType(type); !status.ok()) return status;
  std::string lower_case(LowerCase(extension).text());
  const auto place = std::lower_bound(
      added_.begin(), added_.end(), lower_case,
      [](const auto& row, const std::string& wanted) { return row.first < wanted; });
  if (place != added_.end() && place->first == lower_case) {
    place->second = type;
  } else {
    added_.emplace(place, std::move(lower_case), type);
  }
  return absl::OkStatus();
}

std::string_view MediaTypes::Of(std::string_view path) const {
  const LowerCase extension(ExtensionOf(path));
  const auto row = std::lower_bound(
      added_.begin(), added_.end(), extension.text(),
      [](const auto& each, std::string_view wanted) { return each.first < wanted; });
  if (row != added_.end() && row->first == extension.text()) return row->second;
  const std::string_view type = FindBuiltIn(extension.text());
  return type.empty() ? std::string_view(default_) : type;
}

}  // namespace strata::http
