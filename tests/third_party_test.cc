// Each library under @: it is found by its canonical label, compiles as C++20, links and runs.

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#ifndef _WIN32
#include "benchmark/benchmark.h"
#include "openssl/evp.h"
#include "openssl/ssl.h"
#include "sqlite3.h"
#include "zlib.h"
#endif

namespace {

TEST(ThirdParty, AbseilTakesTheTypesOfTheStandardLibrary) {
  static_assert(std::is_same_v<absl::string_view, std::string_view>);
  static_assert(std::is_same_v<absl::optional<int>, std::optional<int>>);
  EXPECT_EQ(absl::StrCat(std::string_view("a"), 1), "a1");
  EXPECT_EQ(absl::StrFormat("%04d", 7), "0007");
}

TEST(ThirdParty, AbseilRuns) {
  absl::Mutex mutex;
  absl::flat_hash_map<std::string, int> map;
  {
    absl::MutexLock lock(&mutex);
    map["one"] = 1;
  }
  absl::AnyInvocable<int(std::string_view)> find = [&map](std::string_view key) {
    return map.at(key);
  };
  EXPECT_EQ(find("one"), 1);
  EXPECT_EQ(absl::FormatDuration(absl::Milliseconds(1500)), "1.5s");
  absl::StatusOr<int> missing = absl::NotFoundError("no such row");
  EXPECT_THAT(missing.status().message(), testing::HasSubstr("row"));
}

#ifndef _WIN32

TEST(ThirdParty, Benchmark) {
  int calls = 0;
  benchmark::RegisterBenchmark("one", [&calls](benchmark::State& state) {
    for (auto _ : state) ++calls;
  })->Iterations(3);
  benchmark::RunSpecifiedBenchmarks();
  EXPECT_EQ(calls, 3);
}

TEST(ThirdParty, OpenSsl) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ASSERT_EQ(EVP_Digest("abc", 3, digest, &size, EVP_sha256(), nullptr), 1);
  EXPECT_EQ(size, 32u);
  EXPECT_EQ(digest[0], 0xba);
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  EXPECT_NE(context, nullptr);
  SSL_CTX_free(context);
}

TEST(ThirdParty, Sqlite) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "CREATE TABLE t (id INTEGER)", nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_EQ(sqlite3_close(database), SQLITE_OK);
}

TEST(ThirdParty, Zlib) {
  const Bytef text[] = "abc";
  EXPECT_EQ(crc32(0, text, 3), 0x352441c2u);
}

#endif

}  // namespace
