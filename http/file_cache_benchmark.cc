// What a file costs that is kept, beside one that is looked for each time. `paths` of them are
// asked for in turn.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "strata/http/file_cache.h"

namespace strata::http {
namespace {

constexpr FileCache::TimePoint kNow{std::chrono::hours(1)};

// A folder with as many files as asked for.
class Files {
 public:
  explicit Files(std::size_t count) {
    std::string place = std::filesystem::temp_directory_path() / "file_cache_benchmark.XXXXXX";
    folder_ = ::mkdtemp(place.data());
    for (std::size_t i = 0; i < count; ++i) {
      paths_.push_back("/static/file" + std::to_string(i) + ".html");
      std::filesystem::create_directories(folder_ + "/static");
      std::ofstream(folder_ + paths_.back()) << "Hello, World!";
    }
  }
  ~Files() { std::filesystem::remove_all(folder_); }

  const std::string& folder() const { return folder_; }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::string folder_;
  std::vector<std::string> paths_;
};

void BM_Hit(benchmark::State& state) {
  const Files files(static_cast<std::size_t>(state.range(0)));
  FileCache cache(*FileTree::Open(files.folder()));
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cache.Get(files.paths()[next], kNow));
    if (++next == files.paths().size()) next = 0;
  }
}
BENCHMARK(BM_Hit)->ArgName("paths")->Arg(1)->Arg(1000);

void BM_HitThatLooks(benchmark::State& state) {
  const Files files(1);
  FileCache cache(*FileTree::Open(files.folder()));
  FileCache::TimePoint now = kNow;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cache.Get(files.paths()[0], now));
    now += std::chrono::seconds(2);
  }
}
BENCHMARK(BM_HitThatLooks);

void BM_Lookup(benchmark::State& state) {
  const Files files(1);
  FileTreeOptions options;
  options.use_openat2 = state.range(0) != 0;
  const std::shared_ptr<const FileTree> tree = *FileTree::Open(files.folder(), options);
  for (auto _ : state) benchmark::DoNotOptimize(tree->Lookup(files.paths()[0]));
}
BENCHMARK(BM_Lookup)->ArgName("openat2")->Arg(1)->Arg(0);

}  // namespace
}  // namespace strata::http
