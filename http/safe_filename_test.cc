// Names of files, made harmless.

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/multipart.h"

namespace strata::http {
namespace {

TEST(SafeFilenameTest, OrdinaryNamesStay) {
  for (const std::string name :
       {"a", "report.pdf", "a b (1).tar.gz", "\u00fcber \u20ac.txt", "\u65e5\u672c.png",
        "x-y_z~!@#$%^&+={}[];',", "console.txt", "com10", "lpt", "COM", "a..b", "nul1"}) {
    EXPECT_EQ(SafeFilename(name), name);
  }
}

TEST(SafeFilenameTest, PathsAreLeftOut) {
  EXPECT_EQ(SafeFilename("/etc/passwd"), "passwd");
  EXPECT_EQ(SafeFilename("../../a.txt"), "a.txt");
  EXPECT_EQ(SafeFilename("C:\\dir\\a.txt"), "a.txt");
  EXPECT_EQ(SafeFilename("a/b\\c/d.txt"), "d.txt");
  EXPECT_EQ(SafeFilename("C:a.txt"), "C_a.txt");
}

TEST(SafeFilenameTest, OfNothingIsUnnamed) {
  for (const std::string_view name :
       {"", ".", "..", "...", "/", "a/", "\\", "../", " ", "- .", "."}) {
    EXPECT_EQ(SafeFilename(name), "unnamed") << name;
  }
}

TEST(SafeFilenameTest, BeginsAndEndsWithoutDotsAndBlanks) {
  EXPECT_EQ(SafeFilename(".htaccess"), "htaccess");
  EXPECT_EQ(SafeFilename(" . -rf"), "rf");
  EXPECT_EQ(SafeFilename("--help"), "help");
  EXPECT_EQ(SafeFilename("a.exe. . "), "a.exe");
}

TEST(SafeFilenameTest, ControlsAndForbiddenCharactersAreReplaced) {
  EXPECT_EQ(SafeFilename("a\r\nb\tc"), "a__b_c");
  EXPECT_EQ(SafeFilename(std::string_view("a\0.php\0.png", 11)), "a_.php_.png");
  EXPECT_EQ(SafeFilename("a<b>c:d\"e|f?g*h"), "a_b_c_d_e_f_g_h");
  EXPECT_EQ(SafeFilename("a\x7f\u0085\u200b\u202etxt.exe\u2028\u2066\ufeff"), "a____txt.exe___");
}

TEST(SafeFilenameTest, WhatIsNotUtf8IsReplaced) {
  EXPECT_EQ(SafeFilename("a\xff\xc3.txt"), "a__.txt");
  EXPECT_EQ(SafeFilename("\xc0\xaf"), "__");
  EXPECT_EQ(SafeFilename("a\xe2\x82"), "a__");
}

TEST(SafeFilenameTest, DevicesOfWindowsAreNone) {
  for (const std::string name :
       {"con", "PRN", "Aux", "NUL", "CONIN$", "conout$", "COM0", "COM1", "com9.txt", "LPT3",
        "nul.tar.gz", "aux .txt", "COM\u00b9", "lpt\u00b3.x"}) {
    EXPECT_EQ(SafeFilename(name), "_" + name);
  }
  // Blanks and dots at the end go first there.
  EXPECT_EQ(SafeFilename("con. "), "_con");
}

TEST(SafeFilenameTest, LongNamesKeepTheirExtension) {
  EXPECT_EQ(SafeFilename(std::string(255, 'a')), std::string(255, 'a'));
  EXPECT_EQ(SafeFilename(std::string(256, 'a')), std::string(255, 'a'));
  EXPECT_EQ(SafeFilename(std::string(300, 'a') + ".txt"), std::string(251, 'a') + ".txt");
  const std::string no_extension = "." + std::string(300, 'b');
  EXPECT_EQ(SafeFilename("a" + no_extension), ("a" + no_extension).substr(0, 255));
  // No character is cut in two: 128 of two bytes each are one byte too many.
  std::string umlauts;
  for (int i = 0; i < 128; ++i) umlauts += "\u00f6";
  EXPECT_EQ(SafeFilename(umlauts), umlauts.substr(0, 254));
}

TEST(SafeFilenameTest, IsSafeOnceForAll) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 10'000; ++round) {
    std::string name(random() % 300, '\0');
    for (char& c : name)
      c = random() % 4 == 0 ? ". -\\/conN1"[random() % 10] : static_cast<char>(random());
    const std::string safe = SafeFilename(name);
    ASSERT_FALSE(safe.empty());
    ASSERT_LE(safe.size(), 255u);
    ASSERT_EQ(safe.find_first_of(std::string_view("/\\\0\r\n:", 6)), std::string::npos);
    ASSERT_NE(safe.front(), '.');
    ASSERT_EQ(SafeFilename(safe), safe);
  }
}

}  // namespace
}  // namespace strata::http
