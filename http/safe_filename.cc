// What a client calls a file, made harmless.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "strata/http/multipart.h"
#include "strata/http/text.h"
#include "strata/http/utf8_internal.h"

namespace strata::http {
namespace {

// What Linux's file systems take.
constexpr std::size_t kMaxBytes = 255;

// An ending that is longer is no type of a file, and is cut like the rest.
constexpr std::size_t kMaxExtensionBytes = 16;

// Control characters, and the marks by which text looks otherwise than it is: "txt.exe" for
// "exe.txt" (Unicode Technical Report 36, section 3.4), ends of lines, the mark of byte order.
bool IsInvisible(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
         (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

bool IsForbidden(char32_t code) {
  return code < 0x80 &&
         std::string_view("<>:\"/\\|?*").find(static_cast<char>(code)) != std::string_view::npos;
}

// The names that Windows keeps for devices, whatever ending they have ("Naming Files, Paths, and
// Namespaces" in Microsoft's documentation). Superscript digits count as digits.
bool IsDevice(std::string_view filename) {
  std::string_view stem = filename.substr(0, filename.find('.'));
  while (stem.ends_with(' ')) stem.remove_suffix(1);
  constexpr std::array<std::string_view, 6> kNames = {"CON", "PRN",    "AUX",
                                                      "NUL", "CONIN$", "CONOUT$"};
  if (std::any_of(kNames.begin(), kNames.end(),
                  [stem](std::string_view name) { return EqualsIgnoreCase(stem, name); })) {
    return true;
  }
  const std::string_view port = stem.substr(0, 3);
  if (!EqualsIgnoreCase(port, "COM") && !EqualsIgnoreCase(port, "LPT")) return false;
  const std::string_view digit = stem.substr(3);
  return (digit.size() == 1 && digit[0] >= '0' && digit[0] <= '9') || digit == "\u00b9" ||
         digit == "\u00b2" || digit == "\u00b3";
}

// The first bytes, whole characters alone.
std::string_view Shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<std::uint8_t>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

std::string ShortenedToMost(const std::string& name) {
  if (name.size() <= kMaxBytes) return name;
  const std::size_t dot = name.rfind('.');
  std::string_view extension;
  if (dot != std::string::npos && name.size() - dot <= kMaxExtensionBytes) {
    extension = std::string_view(name).substr(dot);
  }
  std::string shortened(Shortened(name, kMaxBytes - extension.size()));
  return shortened.append(extension);
}

}  // namespace

std::string SafeFilename(std::string_view filename) {
  filename = filename.substr(filename.find_last_of("/\\") + 1);
  std::string name;
  while (!filename.empty()) {
    const Utf8Char c = FirstUtf8Char(filename);
    const std::size_t size = std::max<std::size_t>(c.size, 1);
    if (c.size == 0 || IsInvisible(c.code) || IsForbidden(c.code)) {
      name += '_';
    } else {
      name.append(filename.substr(0, size));
    }
    filename.remove_prefix(size);
  }
  name.erase(0, std::min(name.find_first_not_of(". -"), name.size()));
  if (IsDevice(name)) name.insert(0, 1, '_');
  name = ShortenedToMost(name);
  name.erase(name.find_last_not_of(". ") + 1);
  return name.empty() ? "unnamed" : name;
}

}  // namespace strata::http
