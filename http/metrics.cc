// Pages of metrics.

#include "strata/http/metrics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <list>
#include <map>
#include <mutex>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "strata/http/utf8_internal.h"

namespace strata::http {
namespace {

bool IsName(std::string_view name, bool colons) {
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(), [colons](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || (colons && c == ':');
  });
}

// With what the format wants escaped, and as UTF-8.
void AppendEscaped(std::string& out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const Utf8Char c = FirstUtf8Char(text);
    if (c.code == '\n') {
      out += "\\n";
    } else if (c.code == '\\' || (quoted && c.code == '"')) {
      out += '\\';
      out += text[0];
    } else {
      out += c.size ? text.substr(0, c.size) : kReplacement;
    }
    text.remove_prefix(std::max<std::size_t>(c.size, 1));
  }
}

// The shortest that is read back as the same.
std::string RealText(double value, std::chars_format format = std::chars_format::general) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> text;
  return std::string(text.data(),
                     std::to_chars(text.data(), text.data() + text.size(), value, format).ptr);
}

std::string BoundText(double bound) { return RealText(bound, std::chars_format::fixed); }

// The series of a histogram by their suffixes.
constexpr std::string_view kHistogramSuffixes[] = {"_bucket", "_sum", "_count"};

}  // namespace

struct MetricsPage::Family::Data {
  std::string name;
  std::string help;
  Type type;
  std::string lines;
  absl::flat_hash_set<std::string> series;  // Their labels.
};

struct MetricsPage::State {
  const std::size_t max_series;
  std::size_t series = 0;
  std::map<std::string, Family::Data, std::less<>> families;
  std::uint64_t dropped = 0;
  std::string first_problem;
};

MetricsPage::MetricsPage(std::size_t max_series) : state_(new State{max_series, 0, {}, 0, {}}) {}

MetricsPage::~MetricsPage() = default;

void MetricsPage::Drop(std::string_view name, std::string_view why) {
  if (state_->dropped++ == 0) state_->first_problem = absl::StrCat(name, ": ", why);
}

MetricsPage::Family MetricsPage::Get(std::string_view name, std::string_view help, Type type) {
  const auto refused = [&](std::string_view why) {
    Drop(name, why);
    return Family(this, nullptr);
  };
  if (const auto found = state_->families.find(name); found != state_->families.end()) {
    if (found->second.type != type) return refused("of another type before");
    return Family(this, &found->second);
  }
  if (!IsName(name, /*colons=*/true)) return refused("no name of a metric");
  // What would be taken for a series of a histogram, or the other way round.
  for (const std::string_view suffix : kHistogramSuffixes) {
    if (type == Type::kHistogram && state_->families.contains(absl::StrCat(name, suffix))) {
      return refused("its series are a family already");
    }
    if (!name.ends_with(suffix)) continue;
    const auto found = state_->families.find(name.substr(0, name.size() - suffix.size()));
    if (found != state_->families.end() && found->second.type == Type::kHistogram) {
      return refused("a series of a histogram");
    }
  }
  const auto family = state_->families.emplace(
      name, Family::Data{std::string(name), std::string(help), type, {}, {}});
  return Family(this, &family.first->second);
}

MetricsPage::Family MetricsPage::Counter(std::string_view name, std::string_view help) {
  return Get(name, help, Type::kCounter);
}

MetricsPage::Family MetricsPage::Gauge(std::string_view name, std::string_view help) {
  return Get(name, help, Type::kGauge);
}

MetricsPage::Family MetricsPage::Histogram(std::string_view name, std::string_view help) {
  return Get(name, help, Type::kHistogram);
}

// Sorts the labels, so that a series is known again, and writes them: `a="b",c="d"`.
bool MetricsPage::NewSeries(Family::Data& family, std::span<const MetricsLabel> labels,
                            std::string* label_text) {
  const auto drop = [&](std::string_view why) {
    Drop(family.name, why);
    return false;
  };
  if (state_->series >= state_->max_series) return drop("too many series");
  std::vector<MetricsLabel> sorted(labels.begin(), labels.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const MetricsLabel& a, const MetricsLabel& b) { return a.name < b.name; });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::string_view name = sorted[i].name;
    if (!IsName(name, /*colons=*/false) || name.starts_with("__")) {
      return drop("no name of a label");
    }
    if (family.type == Type::kHistogram && name == "le") return drop("the label le");
    if (i > 0 && name == sorted[i - 1].name) return drop("a label twice");
    absl::StrAppend(label_text, i > 0 ? "," : "", name, "=\"");
    AppendEscaped(*label_text, sorted[i].value, /*quoted=*/true);
    *label_text += '"';
  }
  if (!family.series.insert(*label_text).second) return drop("a series twice");
  ++state_->series;
  return true;
}

void MetricsPage::Family::AddText(std::string_view value, std::span<const MetricsLabel> labels) {
  if (!data_) return;
  if (data_->type == Type::kHistogram) return page_->Drop(data_->name, "a number in a histogram");
  std::string text;
  if (!page_->NewSeries(*data_, labels, &text)) return;
  absl::StrAppend(&data_->lines, data_->name, text.empty() ? "" : "{", text,
                  text.empty() ? " " : "} ", value, "\n");
}

void MetricsPage::Family::AddReal(double value, std::span<const MetricsLabel> labels) {
  if (data_ && data_->type == Type::kCounter && !(value >= 0)) {
    return page_->Drop(data_->name, "a counter below zero");
  }
  AddText(RealText(value), labels);
}

void MetricsPage::Family::AddSigned(std::int64_t value, std::span<const MetricsLabel> labels) {
  if (data_ && data_->type == Type::kCounter && value < 0) {
    return page_->Drop(data_->name, "a counter below zero");
  }
  AddText(absl::StrCat(value), labels);
}

void MetricsPage::Family::AddUnsigned(std::uint64_t value, std::span<const MetricsLabel> labels) {
  AddText(absl::StrCat(value), labels);
}

void MetricsPage::Family::Add(std::span<const double> bounds, std::span<const std::uint64_t> counts,
                              double sum, std::uint64_t count,
                              std::span<const MetricsLabel> labels) {
  if (!data_) return;
  if (data_->type != Type::kHistogram) return page_->Drop(data_->name, "no histogram");
  const auto finite = [](double bound) { return std::isfinite(bound); };
  if (bounds.size() != counts.size() || !std::all_of(bounds.begin(), bounds.end(), finite) ||
      std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) != bounds.end() ||
      !std::is_sorted(counts.begin(), counts.end()) || (!counts.empty() && counts.back() > count)) {
    return page_->Drop(data_->name, "buckets that do not ascend");
  }
  std::string text;
  if (!page_->NewSeries(*data_, labels, &text)) return;
  const std::string_view comma = text.empty() ? "" : ",";
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    absl::StrAppend(&data_->lines, data_->name, "_bucket{", text, comma, "le=\"",
                    BoundText(bounds[i]), "\"} ");
    absl::StrAppend(&data_->lines, counts[i], "\n");
  }
  absl::StrAppend(&data_->lines, data_->name, "_bucket{", text, comma, "le=\"+Inf\"} ", count,
                  "\n");
  const std::string braced = text.empty() ? "" : absl::StrCat("{", text, "}");
  absl::StrAppend(&data_->lines, data_->name, "_sum", braced, " ", RealText(sum), "\n");
  absl::StrAppend(&data_->lines, data_->name, "_count", braced, " ", count, "\n");
}

void MetricsPage::Family::Add(const LatencySnapshot& latency,
                              std::span<const MetricsLabel> labels) {
  std::array<double, std::size(kLatencyBounds)> bounds;
  std::array<std::uint64_t, std::size(kLatencyBounds)> counts;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    // From a whole number of microseconds, so that 0.05 is 0.05.
    bounds[i] = static_cast<double>(kLatencyBounds[i].count() / 1000) / 1e6;
    counts[i] = latency.CountUpTo(kLatencyBounds[i]);
  }
  Add(bounds, counts, latency.sum_seconds(), latency.count(), labels);
}

std::string MetricsPage::ToString() const {
  std::string page;
  for (const auto& [name, family] : state_->families) {
    if (family.lines.empty()) continue;
    if (!family.help.empty()) {
      absl::StrAppend(&page, "# HELP ", name, " ");
      AppendEscaped(page, family.help, /*quoted=*/false);
      page += '\n';
    }
    constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
    absl::StrAppend(&page, "# TYPE ", name, " ", kTypes[static_cast<std::size_t>(family.type)],
                    "\n", family.lines);
  }
  if (state_->dropped > 0) {
    // A comment to the parser.
    absl::StrAppend(&page, "# ", state_->dropped, " series left out, the first for ");
    AppendEscaped(page, state_->first_problem, /*quoted=*/false);
    page += '\n';
  }
  return page;
}

std::uint64_t MetricsPage::dropped() const { return state_->dropped; }

std::string_view MetricsPage::first_problem() const { return state_->first_problem; }

// The registry and a registration share one, so that either may end first.
struct MetricsRegistry::Registration::Entry {
  std::mutex mutex;
  Collector collector;  // Null when it has ended.
};

struct MetricsRegistry::State {
  std::mutex mutex;
  std::list<std::shared_ptr<Registration::Entry>> entries;
};

MetricsRegistry::MetricsRegistry() : state_(std::make_unique<State>()) {}

MetricsRegistry::~MetricsRegistry() = default;

MetricsRegistry::Registration MetricsRegistry::Register(Collector collector) {
  auto entry = std::make_shared<Registration::Entry>();
  entry->collector = std::move(collector);
  std::lock_guard<std::mutex> lock(state_->mutex);
  // Those that have ended need not wait for a page to go.
  state_->entries.remove_if([](const std::shared_ptr<Registration::Entry>& other) {
    std::lock_guard<std::mutex> other_lock(other->mutex);
    return !other->collector;
  });
  state_->entries.push_back(entry);
  return Registration(std::move(entry));
}

std::string MetricsRegistry::Render(std::size_t max_series) {
  MetricsPage page(max_series);
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->entries.remove_if([&page](const std::shared_ptr<Registration::Entry>& entry) {
    std::lock_guard<std::mutex> entry_lock(entry->mutex);
    if (!entry->collector) return true;
    entry->collector(page);
    return false;
  });
  return page.ToString();
}

MetricsRegistry::Registration::~Registration() { End(); }

MetricsRegistry::Registration& MetricsRegistry::Registration::operator=(
    Registration&& other) noexcept {
  if (this != &other) {
    End();
    entry_ = std::move(other.entry_);
  }
  return *this;
}

void MetricsRegistry::Registration::End() {
  if (!entry_) return;
  Collector ended;  // Destroyed without the lock.
  {
    std::lock_guard<std::mutex> lock(entry_->mutex);
    ended = std::exchange(entry_->collector, nullptr);
  }
  entry_.reset();
}

}  // namespace strata::http
