// File: arguments.h
//
// Arguments of the form --name=value, or --name alone, which is "1". A program lists the names that
// it knows; any other ends it.

#ifndef BENCH_ARGUMENTS_H_
#define BENCH_ARGUMENTS_H_

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace bench {

class Arguments {
 public:
  Arguments(int argc, char** argv, std::initializer_list<std::string_view> names) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument = argv[i];
      const std::size_t equals = std::min(argument.find('='), argument.size());
      const std::string_view name = argument.substr(0, equals);
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        std::fprintf(stderr, "%s: unknown argument %s\n", argv[0], argv[i]);
        std::exit(2);
      }
      values_[name] = equals == argument.size() ? "1" : argument.substr(equals + 1);
    }
  }

  bool Has(std::string_view name) const { return values_.contains(name); }

  std::string Text(std::string_view name, std::string_view otherwise = "") const {
    const auto found = values_.find(name);
    return std::string(found == values_.end() ? otherwise : found->second);
  }

  unsigned Number(std::string_view name, unsigned otherwise) const {
    return Has(name) ? static_cast<unsigned>(std::strtoul(Text(name).c_str(), nullptr, 10))
                     : otherwise;
  }

  double Seconds(std::string_view name, double otherwise) const {
    return Has(name) ? std::strtod(Text(name).c_str(), nullptr) : otherwise;
  }

  // The content of the file that the argument names; "" without the argument.
  std::string File(std::string_view name) const {
    return Has(name) ? ReadFile(Text(name)) : std::string();
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      std::perror(path.c_str());
      std::exit(1);
    }
    std::ostringstream content;
    content << file.rdbuf();
    return std::move(content).str();
  }

 private:
  std::map<std::string_view, std::string_view> values_;
};

}  // namespace bench

#endif  // BENCH_ARGUMENTS_H_
