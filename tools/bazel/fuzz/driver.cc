// Drives a fuzz target without libFuzzer: each file of the corpus as it is, then random changes of
// it.
//
//   PROGRAM FILE...
//
// FUZZ_SEED repeats a run, FUZZ_RUNS is the number of changed inputs.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::uint64_t NumberFrom(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

void Run(const std::string& input) {
  // In a block of its own size, so that the sanitizers see a read behind its end.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

// One change: of a byte, a bit, by removing, repeating or taking over a part of another input.
void Change(std::string& input, const std::string& other, std::mt19937_64& random) {
  const auto below = [&random](std::size_t count) { return random() % (count + 1); };
  const std::size_t at = below(input.size());
  const std::size_t length = below(std::min<std::size_t>(input.size() - at, 16));
  switch (random() % 6) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(random());
      break;
    case 1:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << random() % 8));
      break;
    case 2:
      input.erase(at, length);
      break;
    case 3:
      input.insert(at, input.substr(at, length));
      break;
    case 4:
      input.insert(at, 1, static_cast<char>(random()));
      break;
    default: {
      const std::size_t from = below(other.size());
      input.replace(at, length, other.substr(from, below(32)));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seed = NumberFrom("FUZZ_SEED", std::random_device{}());
  const std::uint64_t runs = NumberFrom("FUZZ_RUNS", 20'000);
  std::printf("FUZZ_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  std::vector<std::string> corpus;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", argv[i]);
      return 1;
    }
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    Run(corpus.back());
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus\n");
    return 1;
  }
  std::mt19937_64 random(seed);
  for (std::uint64_t i = 0; i < runs; ++i) {
    std::string input = corpus[random() % corpus.size()];
    for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
      Change(input, corpus[random() % corpus.size()], random);
    }
    Run(input);
  }
  std::printf("%zu files, %llu changed inputs\n", corpus.size(),
              static_cast<unsigned long long>(runs));
  return 0;
}
