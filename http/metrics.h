// File: metrics.h
//
// Figures for Prometheus: a page in its text format (version 0.0.4, "Exposition formats" of its
// documentation), and a registry of those who have something to tell.
//
//   MetricsRegistry registry;
//   MetricsRegistry::Registration mine = registry.Register([&](MetricsPage& page) {
//     page.Gauge("shop_open_carts", "Carts that are open.").Add(carts.size());
//     page.Counter("shop_orders_total", "Orders taken.").Add(orders, {{"country", "at"}});
//     page.Histogram("shop_order_seconds", "Time to take one.").Add(latency);
//   });
//   std::string text = registry.Render();  // With kMetricsContentType.
//
// Nothing is counted here: collectors are called when a page is asked for, and read what their
// libraries count. So libraries below do not know of metrics, and none points up.
//
// A page is always valid: what would spoil it (a name or label that is none, a series given twice,
// a family of two types, a counter below zero) is left out and counted, and the page says so.

#ifndef STRATA_HTTP_METRICS_H_
#define STRATA_HTTP_METRICS_H_

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "strata/http/latency_histogram.h"

namespace strata::http {

// The Content-Type of a page.
inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

struct MetricsLabel {
  std::string_view name;   // [a-zA-Z_][a-zA-Z0-9_]*, not beginning with "__".
  std::string_view value;  // Any text; what is no UTF-8 becomes U+FFFD.
};

// Used by one thread.
class MetricsPage {
 public:
  // More series than these are left out: labels of a stranger's choice must not fill the memory.
  static constexpr std::size_t kDefaultMaxSeries = 100'000;

  explicit MetricsPage(std::size_t max_series = kDefaultMaxSeries);
  ~MetricsPage();
  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  // All series of a name. Lives as long as the page.
  class Family {
   public:
    // A series of a counter or gauge.
    template <typename Number>
    requires std::integral<Number> || std::floating_point<Number>
    void Add(Number value, std::span<const MetricsLabel> labels) {
      if constexpr (std::floating_point<Number>) {
        AddReal(static_cast<double>(value), labels);
      } else if constexpr (std::signed_integral<Number>) {
        AddSigned(value, labels);
      } else {
        AddUnsigned(value, labels);
      }
    }
    template <typename Number>
    requires std::integral<Number> || std::floating_point<Number>
    void Add(Number value, std::initializer_list<MetricsLabel> labels = {}) {
      Add(value, std::span(labels.begin(), labels.size()));
    }

    // A series of a histogram, in seconds; its buckets are those of kLatencyBounds.
    void Add(const LatencySnapshot& latency, std::span<const MetricsLabel> labels);
    void Add(const LatencySnapshot& latency, std::initializer_list<MetricsLabel> labels = {}) {
      Add(latency, std::span(labels.begin(), labels.size()));
    }

    // A series of a histogram of anything: `bounds` ascend and are finite, `counts` has for each
    // how many were not above it, which ascends too and is no more than `count`, of all.
    void Add(std::span<const double> bounds, std::span<const std::uint64_t> counts, double sum,
             std::uint64_t count, std::span<const MetricsLabel> labels = {});

   private:
    friend class MetricsPage;
    struct Data;
    Family(MetricsPage* page, Data* data) : page_(page), data_(data) {}

    void AddReal(double value, std::span<const MetricsLabel> labels);
    void AddSigned(std::int64_t value, std::span<const MetricsLabel> labels);
    void AddUnsigned(std::uint64_t value, std::span<const MetricsLabel> labels);
    void AddText(std::string_view value, std::span<const MetricsLabel> labels);

    MetricsPage* page_;
    Data* data_;  // Null for one that was refused.
  };

  // The family of that name: [a-zA-Z_:][a-zA-Z0-9_:]*. The name of a counter should end in _total.
  // Asked for again it is the same one, and keeps the first help.
  Family Counter(std::string_view name, std::string_view help);
  Family Gauge(std::string_view name, std::string_view help);
  Family Histogram(std::string_view name, std::string_view help);

  // The page so far, its families sorted by name.
  std::string ToString() const;

  // How many series were left out, and why the first was.
  std::uint64_t dropped() const;
  std::string_view first_problem() const;

 private:
  enum class Type : std::uint8_t { kCounter, kGauge, kHistogram };
  struct State;

  Family Get(std::string_view name, std::string_view help, Type type);
  void Drop(std::string_view name, std::string_view why);
  bool NewSeries(Family::Data& family, std::span<const MetricsLabel> labels,
                 std::string* label_text);

  const std::unique_ptr<State> state_;
};

// The `le` of histograms of latency. Each is a bound of LatencyHistogram's buckets, so exact.
inline constexpr std::chrono::nanoseconds kLatencyBounds[] = {
    std::chrono::microseconds(50),  std::chrono::microseconds(100), std::chrono::microseconds(250),
    std::chrono::microseconds(500), std::chrono::milliseconds(1),   std::chrono::microseconds(2500),
    std::chrono::milliseconds(5),   std::chrono::milliseconds(10),  std::chrono::milliseconds(25),
    std::chrono::milliseconds(50),  std::chrono::milliseconds(100), std::chrono::milliseconds(250),
    std::chrono::milliseconds(500), std::chrono::seconds(1),        std::chrono::milliseconds(2500),
    std::chrono::seconds(5),        std::chrono::seconds(10),       std::chrono::seconds(30),
    std::chrono::seconds(60),
};

// Thread-safe. Collectors are called one after the other, by the thread that renders.
class MetricsRegistry {
 public:
  // Must not call the registry it is in.
  using Collector = absl::AnyInvocable<void(MetricsPage&)>;

  MetricsRegistry();
  ~MetricsRegistry();
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  // While it lives the collector is called; when its end has returned it is not, and will not be.
  // It may outlive the registry.
  class [[nodiscard]] Registration {
   public:
    Registration() = default;
    Registration(Registration&& other) noexcept = default;
    Registration& operator=(Registration&& other) noexcept;
    ~Registration();

   private:
    friend class MetricsRegistry;
    struct Entry;
    explicit Registration(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
    void End();
    std::shared_ptr<Entry> entry_;
  };

  Registration Register(Collector collector);

  // Calls all collectors, in the order of their registration.
  std::string Render(std::size_t max_series = MetricsPage::kDefaultMaxSeries);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_METRICS_H_
