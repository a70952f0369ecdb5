// Lines of an access log.

#include "strata/http/access_record.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "strata/http/network.h"
#include "strata/http/utf8_internal.h"

namespace strata::http {
namespace {

using std::chrono::sys_seconds;

constexpr std::string_view kCut = "...";

// What a byte may become at most, by \uHHHH.
constexpr std::size_t kMaxEscape = 6;

// Of a line: an address, a time, three numbers, names and quotes.
constexpr std::size_t kMaxOfTheRest = 512;

constexpr char kHexDigits[] = "0123456789abcdef";

char* Append(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* AppendNumber(char* out, std::uint64_t number) {
  return std::to_chars(out, out + 20, number).ptr;
}

char* AppendTwoDigits(char* out, unsigned number) {
  out[0] = static_cast<char>('0' + number / 10);
  out[1] = static_cast<char>('0' + number % 10);
  return out + 2;
}

char* AppendFourDigits(char* out, unsigned number) {
  return AppendTwoDigits(AppendTwoDigits(out, number / 100), number % 100);
}

char* AppendStatus(char* out, unsigned status) {
  if (status < 100 || status > 999) return AppendNumber(out, status);
  *out = static_cast<char>('0' + status / 100);
  return AppendTwoDigits(out + 1, status % 100);
}

char* AppendIpv4(char* out, std::uint32_t bits) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    const std::uint32_t part = bits >> shift & 0xff;
    if (part >= 100) *out++ = static_cast<char>('0' + part / 100);
    if (part >= 10) *out++ = static_cast<char>('0' + part / 10 % 10);
    *out++ = static_cast<char>('0' + part % 10);
    if (shift > 0) *out++ = '.';
  }
  return out;
}

// RFC 5952 section 4.
char* AppendIpv6(char* out, const IpBits& bits) {
  std::array<std::uint16_t, 8> groups;
  for (std::size_t i = 0; i < 4; ++i) {
    groups[i] = static_cast<std::uint16_t>(bits.high >> (48 - 16 * i));
    groups[4 + i] = static_cast<std::uint16_t>(bits.low >> (48 - 16 * i));
  }
  // The longest run of zeros, of two at least, the first of equals.
  std::size_t gap = 8;
  std::size_t gap_size = 1;
  for (std::size_t i = 0, run = 0; i < 8; ++i) {
    run = groups[i] == 0 ? run + 1 : 0;
    if (run > gap_size) {
      gap_size = run;
      gap = i + 1 - run;
    }
  }
  for (std::size_t i = 0; i < 8;) {
    if (i == gap) {
      out = Append(out, "::");
      i += gap_size;
      continue;
    }
    out = std::to_chars(out, out + 4, groups[i], 16).ptr;
    ++i;
    if (i < 8 && i != gap) *out++ = ':';
  }
  return out;
}

char* AppendPeer(char* out, const net::Address* peer) {
  const std::optional<IpNumber> ip = peer ? IpNumber::Of(*peer) : std::nullopt;
  if (ip) {
    return ip->ipv6 ? AppendIpv6(out, ip->bits)
                    : AppendIpv4(out, static_cast<std::uint32_t>(ip->bits.low));
  }
  if (peer && peer->family() == net::Address::Family::kUnix) return Append(out, "unix:");
  return Append(out, "-");
}

// Visible ASCII and the blank, but for quote and backslash.
constexpr bool IsPlain(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

// The same of eight at a time; true may be said of what is plain too. A byte that is none has its
// highest bit set in one of the terms, and the first borrow comes from such a byte.
bool AnyIsNotPlain(std::uint64_t eight) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  constexpr std::uint64_t kHighest = 0x80 * kEach;
  const std::uint64_t below = eight - ' ' * kEach;
  const std::uint64_t quote = (eight ^ '"' * kEach) - kEach;
  const std::uint64_t backslash = (eight ^ '\\' * kEach) - kEach;
  const std::uint64_t above = eight + kEach;  // Of 0x7f; of more by the bit itself.
  return ((eight | below | quote | backslash | above) & kHighest) != 0;
}

// Appends what is plain, and calls `escape(out, rest)`, which takes what it writes off the rest,
// for what is not.
template <typename Escape>
char* AppendField(char* out, std::string_view field, Escape escape) {
  const bool cut = field.size() > kMaxAccessFieldBytes;
  std::string_view rest = field.substr(0, kMaxAccessFieldBytes);
  while (!rest.empty()) {
    std::uint64_t eight;
    if (rest.size() >= sizeof(eight)) {
      std::memcpy(&eight, rest.data(), sizeof(eight));
      if (!AnyIsNotPlain(eight)) {
        std::memcpy(out, &eight, sizeof(eight));
        out += sizeof(eight);
        rest.remove_prefix(sizeof(eight));
        continue;
      }
    }
    if (IsPlain(rest[0])) {
      *out++ = rest[0];
      rest.remove_prefix(1);
    } else {
      out = escape(out, rest);
    }
  }
  return cut ? Append(out, kCut) : out;
}

char* AppendHexByte(char* out, char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  out = Append(out, "\\x");
  *out++ = kHexDigits[byte >> 4];
  *out++ = kHexDigits[byte & 15];
  return out;
}

char* EscapeText(char* out, std::string_view& rest) {
  const char c = rest[0];
  rest.remove_prefix(1);
  if (c != '"' && c != '\\') return AppendHexByte(out, c);
  *out++ = '\\';
  *out++ = c;
  return out;
}

// Within quotes.
char* AppendText(char* out, std::string_view field) { return AppendField(out, field, EscapeText); }

// Without quotes: no blanks either.
char* AppendWord(char* out, std::string_view field) {
  if (field.empty()) return Append(out, "-");
  for (const char c : field.substr(0, kMaxAccessFieldBytes)) {
    if (IsPlain(c) && c != ' ') {
      *out++ = c;
    } else {
      out = AppendHexByte(out, c);
    }
  }
  return field.size() > kMaxAccessFieldBytes ? Append(out, kCut) : out;
}

// What may end a line or turn the direction of writing, or is a control character of ASCII or C1.
bool IsUnsafe(char32_t c) {
  return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char* EscapeJson(char* out, std::string_view& rest) {
  const Utf8Char c = FirstUtf8Char(rest);
  if (c.size == 0) {
    rest.remove_prefix(1);
    return Append(out, kReplacement);
  }
  if (c.code == '"' || c.code == '\\') {
    *out++ = '\\';
    *out++ = rest[0];
  } else if (IsUnsafe(c.code)) {
    out = Append(out, "\\u");
    for (int shift = 12; shift >= 0; shift -= 4) *out++ = kHexDigits[c.code >> shift & 15];
  } else {
    out = Append(out, rest.substr(0, c.size));
  }
  rest.remove_prefix(c.size);
  return out;
}

char* AppendJson(char* out, std::string_view name, std::string_view value) {
  if (value.empty()) return out;
  out = Append(out, name);
  out = AppendField(out, value, EscapeJson);
  *out++ = '"';
  return out;
}

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::size_t AccessRecordWriter::MaxBytes(const AccessRecord& record) {
  std::size_t size = 0;
  for (const std::string_view field : {record.user, record.method, record.target, record.protocol,
                                       record.referer, record.user_agent, record.request_id}) {
    size += std::min(field.size(), kMaxAccessFieldBytes);
  }
  return size * kMaxEscape + kMaxOfTheRest;
}

char* AccessRecordWriter::Write(const AccessRecord& record, char* out) {
  const auto second = std::chrono::floor<std::chrono::seconds>(record.time);
  if (second != second_) UpdateTime(second);
  out = format_ == AccessLogFormat::kJson ? WriteJson(record, out) : WriteText(record, out);
  *out++ = '\n';
  return out;
}

void AccessRecordWriter::UpdateTime(sys_seconds second) {
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  const auto month = static_cast<unsigned>(date.month());
  const auto append_time = [&time](char* out) {
    out = AppendTwoDigits(out, static_cast<unsigned>(time.hours().count()));
    *out++ = ':';
    out = AppendTwoDigits(out, static_cast<unsigned>(time.minutes().count()));
    *out++ = ':';
    return AppendTwoDigits(out, static_cast<unsigned>(time.seconds().count()));
  };
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  char* out = time_text_.data();
  if (format_ == AccessLogFormat::kJson) {
    out = AppendFourDigits(out, year);
    *out++ = '-';
    out = AppendTwoDigits(out, month);
    *out++ = '-';
    out = AppendTwoDigits(out, static_cast<unsigned>(date.day()));
    *out++ = 'T';
    out = append_time(out);
  } else {
    *out++ = '[';
    out = AppendTwoDigits(out, static_cast<unsigned>(date.day()));
    *out++ = '/';
    out = Append(out, kMonths[month - 1]);
    *out++ = '/';
    out = AppendFourDigits(out, year);
    *out++ = ':';
    out = append_time(out);
    out = Append(out, " +0000] ");
  }
  time_size_ = static_cast<std::size_t>(out - time_text_.data());
  second_ = second;
}

char* AccessRecordWriter::WriteText(const AccessRecord& record, char* out) {
  out = AppendPeer(out, record.peer);
  out = Append(out, " - ");
  out = AppendWord(out, record.user);
  *out++ = ' ';
  out = Append(out, std::string_view(time_text_.data(), time_size_));
  *out++ = '"';
  if (record.method.empty()) {
    *out++ = '-';
  } else {
    out = AppendText(out, record.method);
    *out++ = ' ';
    out = AppendText(out, record.target);
    *out++ = ' ';
    out = AppendText(out, record.protocol);
  }
  out = Append(out, "\" ");
  out = AppendStatus(out, record.status);
  *out++ = ' ';
  out = AppendNumber(out, record.bytes);
  if (format_ != AccessLogFormat::kCombined) return out;
  for (const std::string_view field : {record.referer, record.user_agent}) {
    out = Append(out, " \"");
    out = field.empty() ? Append(out, "-") : AppendText(out, field);
    *out++ = '"';
  }
  return out;
}

char* AccessRecordWriter::WriteJson(const AccessRecord& record, char* out) {
  const auto milliseconds =
      std::chrono::floor<std::chrono::milliseconds>(record.time - second_).count();
  out = Append(out, "{\"time\":\"");
  out = Append(out, std::string_view(time_text_.data(), time_size_));
  *out++ = '.';
  *out++ = static_cast<char>('0' + milliseconds / 100);
  out = AppendTwoDigits(out, static_cast<unsigned>(milliseconds % 100));
  out = Append(out, "Z\",\"peer\":\"");
  out = AppendPeer(out, record.peer);
  *out++ = '"';
  out = AppendJson(out, ",\"user\":\"", record.user);
  out = AppendJson(out, ",\"method\":\"", record.method);
  out = AppendJson(out, ",\"target\":\"", record.target);
  out = AppendJson(out, ",\"protocol\":\"", record.protocol);
  out = Append(out, ",\"status\":");
  out = AppendStatus(out, record.status);
  out = Append(out, ",\"bytes\":");
  out = AppendNumber(out, record.bytes);
  out = Append(out, ",\"duration_us\":");
  const auto duration = std::chrono::duration_cast<std::chrono::microseconds>(record.duration);
  out = AppendNumber(out, static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
  out = AppendJson(out, ",\"referer\":\"", record.referer);
  out = AppendJson(out, ",\"user_agent\":\"", record.user_agent);
  out = AppendJson(out, ",\"request_id\":\"", record.request_id);
  *out++ = '}';
  return out;
}

}  // namespace strata::http
