#include "strata/orm/encrypted.h"

#include <filesystem>
#include <numeric>
#include <thread>

#include "gtest/gtest.h"
#include "sqlite3.h"
#include "strata/crypto/crc32c.h"
#include "strata/crypto/random.h"
#include "strata/orm/database.h"
#include "strata/orm/encrypted_cipher_internal.h"
#include "strata/orm/sqlite_internal.h"
#include "strata/orm/testing/temp_folder.h"

namespace app {

struct Note {
  std::int64_t id = 0;
  std::string text;
  friend bool operator==(const Note&, const Note&) = default;
};
STRATA_TABLE(Note, id, text);

}  // namespace app

namespace strata::orm {
namespace {

using app::Note;
using Journal = DatabaseOptions::Journal;
using testing::TempFolder;

std::vector<std::uint8_t> KeyBytes(std::uint8_t first = 0) {
  std::vector<std::uint8_t> bytes(EncryptionKey::kBytes);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

std::shared_ptr<EncryptedStorage> Keyed(std::uint8_t first = 0, EncryptionOptions options = {}) {
  return *EncryptedStorage::Create(EncryptionKey::FromKey(KeyBytes(first)), options);
}

std::shared_ptr<EncryptedStorage> WithPassword(std::string_view password) {
  EncryptionOptions options;
  options.cost = crypto::ScryptCost{.log2_n = 14, .r = 8, .p = 1};
  return *EncryptedStorage::Create(EncryptionKey::FromPassword(password), options);
}

std::unique_ptr<Database> MustOpen(const std::string& path, const DatabaseOptions& options) {
  absl::StatusOr<std::unique_ptr<Database>> db = Database::Open(path, options);
  EXPECT_TRUE(db.ok()) << db.status();
  if (!db.ok()) return nullptr;
  EXPECT_EQ((*db)->Create<Note>(), absl::OkStatus());
  return *std::move(db);
}

absl::Status OpenStatus(const std::string& path, std::shared_ptr<EncryptedStorage> storage) {
  return Database::Open(path, {.create = false, .storage = std::move(storage)}).status();
}

constexpr std::string_view kSecret = "the quick brown fox";

std::string Secret(int i) { return std::string(kSecret) + " " + std::to_string(i); }

absl::Status AddNotes(Records& records, int first, int count, std::size_t padding = 0) {
  for (int i = first; i < first + count; ++i) {
    Note note{i, Secret(i) + std::string(padding, 'x')};
    if (absl::Status status = records.Insert(&note); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status AddTogether(Database& db, int first, int count, std::size_t padding = 0) {
  return db.Transact([&](Transaction& t) { return AddNotes(t, first, count, padding); });
}

// Looks at each row; OK if they are the first `count`.
absl::Status ReadNotes(Records& records, int count, std::size_t padding = 0) {
  const absl::StatusOr<std::int64_t> found = records.Count<Note>();
  if (!found.ok()) return found.status();
  if (*found != count) return absl::InternalError("other rows");
  for (int i = 1; i <= count; ++i) {
    const absl::StatusOr<Note> note = records.Get<Note>(i);
    if (!note.ok()) return note.status();
    if (note->text != Secret(i) + std::string(padding, 'x')) return absl::InternalError("altered");
  }
  return absl::OkStatus();
}

// The format.

internal::Header HeaderWith(internal::KeyCost cost) {
  internal::Header header;
  header.cost = cost;
  header.salt = crypto::SecureRandom::Bytes<internal::kSaltBytes>();
  header.file_id = crypto::SecureRandom::Bytes<internal::kFileIdBytes>();
  return header;
}

internal::FileKeys OneKey() {
  internal::FileKeys keys;
  keys.push_back(crypto::SecureRandom::Secret(32));
  return keys;
}

TEST(EncryptedFormatTest, ASlotOpensWithItsKeyAlone) {
  const EncryptionOptions options;
  const struct {
    internal::KeyCost cost;
    EncryptionKey key;
  } cases[] = {
      {{}, EncryptionKey::FromKey(KeyBytes())},
      {crypto::ScryptCost{4, 1, 1}, EncryptionKey::FromPassword("correct horse")},
      {crypto::Pbkdf2Cost{10}, EncryptionKey::FromPassword("correct horse")},
  };
  for (const auto& [cost, key] : cases) {
    internal::Header header = HeaderWith(cost);
    header.generation = 7;
    header.keys = 2;
    internal::FileKeys keys = OneKey();
    keys.push_back(crypto::SecureRandom::Secret(32));
    const auto root = internal::DeriveRoot(key, header, options);
    ASSERT_TRUE(root.ok()) << root.status();
    const auto slot = internal::SealSlot(header, keys, *root);
    ASSERT_TRUE(slot.ok());
    const auto parsed = internal::ParseSlot(*slot);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->cost, cost);
    EXPECT_EQ(parsed->file_id, header.file_id);
    EXPECT_EQ(parsed->generation, 7u);
    const auto opened = internal::OpenSlot(*slot, *parsed, *root);
    ASSERT_TRUE(opened.ok()) << opened.status();
    ASSERT_EQ(opened->size(), 2u);
    EXPECT_TRUE(crypto::ConstantTimeEquals((*opened)[1].bytes(), keys[1].bytes()));
    const auto other = crypto::SecretBytes::Copy(KeyBytes(1));
    EXPECT_EQ(internal::OpenSlot(*slot, *parsed, other).status().code(),
              absl::StatusCode::kUnauthenticated);
  }
}

TEST(EncryptedFormatTest, AChangedByteOfASlotIsFound) {
  const internal::Header header = HeaderWith({});
  const auto root = crypto::SecretBytes::Copy(KeyBytes());
  const internal::Slot slot = *internal::SealSlot(header, OneKey(), root);
  for (std::size_t i = 0; i < slot.size(); ++i) {
    internal::Slot changed = slot;
    changed[i] ^= 0x10;
    EXPECT_FALSE(internal::ParseSlot(changed).ok()) << i;
    // The CRC is for accidents: somebody may make it anew.
    internal::StoreNumber(crypto::Crc32c(std::span(changed).first(slot.size() - 4)), changed,
                          slot.size() - 4);
    const auto parsed = internal::ParseSlot(changed);
    if (!parsed.ok() || i >= slot.size() - 4) continue;
    EXPECT_FALSE(internal::OpenSlot(changed, *parsed, root).ok()) << i;
  }
  EXPECT_EQ(internal::ParseSlot(std::span(slot).first(100)).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(EncryptedFormatTest, WorkIsBoundedBeforeItIsDone) {
  const auto password = EncryptionKey::FromPassword("x");
  for (const internal::KeyCost& cost : {
           internal::KeyCost(crypto::ScryptCost{24, 8, 1}),
           internal::KeyCost(crypto::ScryptCost{17, 8, 64}),
           internal::KeyCost(crypto::ScryptCost{64, 8, 1}),
           internal::KeyCost(crypto::ScryptCost{1, 0, 1}),
           internal::KeyCost(crypto::ScryptCost{1, 0x80000000, 0x80000000}),
           internal::KeyCost(crypto::Pbkdf2Cost{0}),
           internal::KeyCost(crypto::Pbkdf2Cost{4'000'001}),
       }) {
    EXPECT_EQ(internal::DeriveRoot(password, HeaderWith(cost), {}).status().code(),
              absl::StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(internal::DeriveRoot(password, HeaderWith({}), {}).status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST(EncryptedFormatTest, APageOpensInItsPlaceAlone) {
  const internal::Header header = HeaderWith({});
  auto cipher = *internal::FileCipher::Create(header, OneKey());
  std::vector<std::uint8_t> page(4096, 7);
  std::fill(page.end() - 32, page.end(), std::uint8_t{0});
  std::vector<std::uint8_t> sealed(4096), again(4096), opened(4096);
  ASSERT_TRUE(cipher->SealPage(3, page, sealed).ok());
  ASSERT_TRUE(cipher->SealPage(3, page, again).ok());
  EXPECT_NE(sealed, again);
  EXPECT_TRUE(cipher->OpenPage(3, sealed, opened).ok());
  EXPECT_EQ(opened, page);
  EXPECT_EQ(cipher->OpenPage(4, sealed, opened), absl::DataLossError("page 4 is damaged"));
  EXPECT_EQ(opened, std::vector<std::uint8_t>(4096));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    sealed[i] ^= 1;
    EXPECT_FALSE(cipher->OpenPage(3, sealed, opened).ok()) << i;
    sealed[i] ^= 1;
  }
  internal::Header other = header;
  other.file_id[0] ^= 1;
  auto elsewhere = *internal::FileCipher::Create(other, OneKey());
  EXPECT_FALSE(elsewhere->OpenPage(3, sealed, opened).ok());
  page.back() = 1;
  EXPECT_EQ(cipher->SealPage(3, page, sealed).code(), absl::StatusCode::kInvalidArgument);
}

// Databases.

class EncryptedTest : public ::testing::TestWithParam<Journal> {
 protected:
  DatabaseOptions Options(std::shared_ptr<EncryptedStorage> storage = Keyed()) const {
    return {.journal = GetParam(), .storage = std::move(storage)};
  }

  TempFolder folder_;
  const std::string path_ = folder_.File("a.db");
};

INSTANTIATE_TEST_SUITE_P(Journals, EncryptedTest,
                         ::testing::Values(Journal::kWal, Journal::kDelete, Journal::kMemory));

TEST_P(EncryptedTest, RowsComeBackAndAreOnNoDisk) {
  {
    auto db = MustOpen(path_, Options());
    ASSERT_EQ(AddTogether(*db, 1, 500, 100), absl::OkStatus());
    EXPECT_FALSE(folder_.Contains(kSecret));
    EXPECT_FALSE(folder_.Contains("SQLite format"));
    EXPECT_FALSE(folder_.Contains("CREATE TABLE"));
  }
  EXPECT_FALSE(folder_.Contains(kSecret));
  auto db = MustOpen(path_, Options());
  EXPECT_EQ(*db->Count<Note>(), 500);
  EXPECT_EQ(db->Get<Note>(17)->text, Secret(17) + std::string(100, 'x'));
}

TEST_P(EncryptedTest, ABackupAndARebuiltTableAreEncryptedToo) {
  auto db = MustOpen(path_, Options());
  ASSERT_EQ(AddTogether(*db, 1, 300), absl::OkStatus());
  ASSERT_TRUE(db->Execute("ALTER TABLE Note ADD COLUMN more TEXT DEFAULT 'brown fox'").ok());
  ASSERT_TRUE(db->Migrate(Schema::Of<Note>(), {.allow = {"drop Note.more"}}).ok());
  const std::string copy = folder_.File("copy.db");
  ASSERT_EQ(db->Backup(copy, {.pages_per_step = 3}), absl::OkStatus());
  EXPECT_FALSE(folder_.Contains("brown fox"));
  EXPECT_EQ(OpenStatus(copy, Keyed(1)).code(), absl::StatusCode::kUnauthenticated);
  auto copied = MustOpen(copy, Options());
  EXPECT_EQ(copied->CheckIntegrity(), absl::OkStatus());
  EXPECT_EQ(ReadNotes(*copied, 300), absl::OkStatus());
}

TEST_P(EncryptedTest, NothingIsReadableInTheMiddleOfATransaction) {
  DatabaseOptions options = Options();
  options.cache_bytes = 16 << 10;  // So that pages are written before the end.
  auto db = MustOpen(path_, options);
  ASSERT_EQ(AddTogether(*db, 1, 300, 300), absl::OkStatus());
  for (const bool commit : {true, false}) {
    const absl::Status status = db->Transact([&](Transaction& t) -> absl::Status {
      for (int i = 1; i <= 300; ++i) {
        Note note{i, "changed " + Secret(i) + std::string(400, 'y')};
        if (absl::Status updated = t.Update(&note); !updated.ok()) return updated;
        if (i % 50 == 0) {
          EXPECT_FALSE(folder_.Contains(kSecret)) << i;
        }
      }
      return commit ? absl::OkStatus() : absl::CancelledError("no");
    });
    EXPECT_EQ(status.ok(), commit) << status;
    EXPECT_FALSE(folder_.Contains(kSecret));
    EXPECT_EQ(db->Get<Note>(300)->text, "changed " + Secret(300) + std::string(400, 'y'));
  }
}

TEST_P(EncryptedTest, WhatIsRolledBackIsAsBefore) {
  DatabaseOptions options = Options();
  options.cache_bytes = 16 << 10;
  auto db = MustOpen(path_, options);
  ASSERT_EQ(AddTogether(*db, 1, 300, 300), absl::OkStatus());
  for (int round = 0; round < 3; ++round) {
    EXPECT_FALSE(db->Transact([&](Transaction& t) -> absl::Status {
                     for (int i = 1; i <= 300; ++i) {
                       Note note{i, "changed"};
                       EXPECT_EQ(t.Update(&note), absl::OkStatus());
                     }
                     EXPECT_EQ(AddNotes(t, 1000, 300, 300), absl::OkStatus());
                     return absl::CancelledError("no");
                   }).ok());
    EXPECT_EQ(*db->Count<Note>(), 300);
    for (int i = 1; i <= 300; ++i)
      ASSERT_EQ(db->Get<Note>(i)->text, Secret(i) + std::string(300, 'x'));
  }
  db.reset();
  EXPECT_EQ(*MustOpen(path_, Options())->Count<Note>(), 300);
}

TEST_P(EncryptedTest, LargeRowsSpanPages) {
  const std::string large(1 << 20, 'z');
  {
    auto db = MustOpen(path_, Options());
    Note note{1, large};
    ASSERT_EQ(db->Insert(&note), absl::OkStatus());
    ASSERT_EQ(db->Delete<Note>(1), absl::OkStatus());
    ASSERT_EQ(AddNotes(*db, 2, 10), absl::OkStatus());
    note.id = 1;
    ASSERT_EQ(db->Insert(&note), absl::OkStatus());
  }
  EXPECT_EQ(MustOpen(path_, Options())->Get<Note>(1)->text, large);
}

TEST_P(EncryptedTest, TwoConnectionsSeeEachOther) {
  auto one = MustOpen(path_, Options());
  auto two = MustOpen(path_, Options(Keyed()));
  for (int i = 1; i <= 20; ++i) {
    Records& writer = i % 2 == 0 ? *one : *two;
    Records& reader = i % 2 == 0 ? *two : *one;
    ASSERT_EQ(AddNotes(writer, i, 1), absl::OkStatus());
    ASSERT_EQ(*reader.Count<Note>(), i);
  }
}

TEST_P(EncryptedTest, ThreadsOfSeveralConnections) {
  MustOpen(path_, Options());
  auto storage = Keyed();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      auto db = MustOpen(path_, Options(storage));
      for (int i = 0; i < 8; ++i) {
        ASSERT_EQ(AddNotes(*db, thread * 100 + i + 1, 1), absl::OkStatus());
        ASSERT_GE(*db->Count<Note>(), i + 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*MustOpen(path_, Options())->Count<Note>(), 32);
}

TEST_P(EncryptedTest, OneProcessAlone) {
  DatabaseOptions options = Options();
  options.exclusive = true;
  options.cache_bytes = 16 << 10;
  {
    auto db = MustOpen(path_, options);
    for (int i = 0; i < 5; ++i) {
      ASSERT_EQ(db->Transact([&](Transaction& t) { return AddNotes(t, i * 100 + 1, 100, 200); }),
                absl::OkStatus());
    }
    EXPECT_FALSE(folder_.Contains(kSecret));
  }
  EXPECT_EQ(*MustOpen(path_, options)->Count<Note>(), 500);
}

TEST_P(EncryptedTest, WithoutSyncs) {
  DatabaseOptions options = Options();
  options.synchronous = DatabaseOptions::Synchronous::kOff;
  options.cache_bytes = 16 << 10;
  auto db = MustOpen(path_, options);
  ASSERT_EQ(db->Transact([&](Transaction& t) { return AddNotes(t, 1, 500, 200); }),
            absl::OkStatus());
  EXPECT_FALSE(db->Transact([&](Transaction& t) -> absl::Status {
                   EXPECT_EQ(AddNotes(t, 1000, 500, 200), absl::OkStatus());
                   return absl::CancelledError("no");
                 }).ok());
  EXPECT_EQ(*db->Count<Note>(), 500);
}

TEST_P(EncryptedTest, AnotherKeyIsAClearError) {
  MustOpen(path_, Options());
  EXPECT_EQ(
      OpenStatus(path_, Keyed(1)),
      absl::UnauthenticatedError(path_ + ": the key or password is not that of the database"));
  EXPECT_EQ(OpenStatus(path_, WithPassword("x")),
            absl::UnauthenticatedError(
                path_ + ": the database is opened by a key of 32 bytes, not by a password"));
  EXPECT_EQ(OpenStatus(path_, Keyed()), absl::OkStatus());
}

TEST_P(EncryptedTest, WithoutAuthentication) {
  EncryptionOptions with;
  with.cipher = PageCipher::kAes256CtrUnauthenticated;
  {
    auto db = MustOpen(path_, Options(Keyed(0, with)));
    ASSERT_EQ(AddTogether(*db, 1, 300), absl::OkStatus());
  }
  EXPECT_FALSE(folder_.Contains(kSecret));
  EXPECT_EQ(*MustOpen(path_, Options())->Count<Note>(), 300);  // The file says how.
  EXPECT_EQ(OpenStatus(path_, Keyed(1)).code(), absl::StatusCode::kUnauthenticated);
}

TEST(EncryptedFileTest, APasswordOpensIt) {
  const TempFolder folder;
  const std::string path = folder.File("a.db");
  ASSERT_EQ(AddNotes(*MustOpen(path, {.storage = WithPassword("correct horse")}), 1, 10),
            absl::OkStatus());
  EXPECT_EQ(*MustOpen(path, {.storage = WithPassword("correct horse")})->Count<Note>(), 10);
  EXPECT_EQ(OpenStatus(path, WithPassword("Correct horse")).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(OpenStatus(path, Keyed()).code(), absl::StatusCode::kUnauthenticated);
}

TEST(EncryptedFileTest, KeysAndOptionsAreChecked) {
  const auto code = [](EncryptionKey key, const EncryptionOptions& options = {}) {
    return EncryptedStorage::Create(std::move(key), options).status().code();
  };
  const auto bytes = KeyBytes();
  EXPECT_EQ(code(EncryptionKey::FromKey(std::span(bytes).first(31))),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(EncryptionKey::FromPassword("")), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(EncryptionKey::FromKey(bytes), {.base_vfs = "no such"}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(EncryptionKey::FromPassword("x"), {.cost = crypto::Pbkdf2Cost{1000}}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Database::Open(":memory:", {.storage = Keyed()}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(EncryptedFileTest, OtherFilesAreNotDatabases) {
  const TempFolder folder;
  const std::string path = folder.File("a.db");
  EXPECT_EQ(OpenStatus(path, Keyed()).code(), absl::StatusCode::kNotFound);
  TempFolder::Store(path, "");
  EXPECT_EQ(OpenStatus(path, Keyed()),
            absl::DataLossError(path + ": the file is empty, and no database"));
  TempFolder::Store(path, "hello");
  EXPECT_EQ(OpenStatus(path, Keyed()),
            absl::DataLossError(path + ": the file is no encrypted database"));
  TempFolder::Store(path, std::string(100'000, 'x'));
  EXPECT_EQ(OpenStatus(path, Keyed()),
            absl::DataLossError(path + ": the file is no encrypted database"));
  const std::string plain = folder.File("plain.db");
  MustOpen(plain, {});
  EXPECT_EQ(OpenStatus(plain, Keyed()),
            absl::DataLossError(plain + ": the file is no encrypted database"));
  // And the other way round.
  const std::string encrypted = folder.File("encrypted.db");
  MustOpen(encrypted, {.storage = Keyed()});
  EXPECT_EQ(Database::Open(encrypted).status().code(), absl::StatusCode::kDataLoss);
}

TEST(EncryptedFileTest, ATruncatedFileIsAnError) {
  const TempFolder folder;
  const std::string path = folder.File("a.db");
  ASSERT_EQ(AddTogether(*MustOpen(path, {.storage = Keyed()}), 1, 300, 100), absl::OkStatus());
  const std::string whole = TempFolder::Load(path);
  const std::size_t sizes[] = {1,
                               100,
                               215,
                               216,
                               1000,
                               4096,
                               4120,
                               8192,
                               8193,
                               9000,
                               12288,
                               20480,
                               whole.size() - 4096,
                               whole.size() - 1};
  for (const std::size_t size : sizes) {
    TempFolder::Store(path, std::string_view(whole).substr(0, size));
    absl::StatusOr<std::unique_ptr<Database>> db =
        Database::Open(path, {.create = false, .storage = Keyed()});
    const absl::Status status = db.ok() ? ReadNotes(**db, 300, 100) : db.status();
    EXPECT_FALSE(status.ok()) << size;
    EXPECT_NE(status.code(), absl::StatusCode::kUnauthenticated) << size;
  }
  // SQLite would take zeros for what is missing of the last page.
  TempFolder::Store(path, std::string_view(whole).substr(0, whole.size() - 1));
  const std::string last = std::to_string((whole.size() - 8192) / 4096);
  EXPECT_EQ(ReadNotes(*MustOpen(path, {.storage = Keyed()}), 300, 100),
            absl::DataLossError("page " + last + " is cut off"));
  TempFolder::Store(path, whole);
  EXPECT_EQ(*MustOpen(path, {.storage = Keyed()})->Count<Note>(), 300);
}

TEST(EncryptedFileTest, APageOfAnotherPlaceOrFileIsAnError) {
  const TempFolder folder;
  const std::string path = folder.File("a.db");
  const std::string other = folder.File("b.db");
  for (const std::string& file : {path, other}) {
    ASSERT_EQ(AddTogether(*MustOpen(file, {.journal = Journal::kDelete, .storage = Keyed()}), 1,
                          300, 100),
              absl::OkStatus());
  }
  const std::string whole = TempFolder::Load(path);
  const auto count_after = [&](std::string_view page) {
    std::string changed = whole;
    changed.replace(8192 + 4 * 4096, 4096, page);
    TempFolder::Store(path, changed);
    auto db = MustOpen(path, {.journal = Journal::kDelete, .storage = Keyed()});
    return ReadNotes(*db, 300, 100);
  };
  const std::string elsewhere = TempFolder::Load(other);
  EXPECT_EQ(count_after(std::string_view(whole).substr(8192 + 4 * 4096, 4096)), absl::OkStatus());
  EXPECT_EQ(count_after(std::string_view(whole).substr(8192 + 5 * 4096, 4096)),
            absl::DataLossError("page 5 is damaged"));
  EXPECT_EQ(count_after(std::string_view(elsewhere).substr(8192 + 4 * 4096, 4096)),
            absl::DataLossError("page 5 is damaged"));
  EXPECT_EQ(count_after(std::string(4096, '\0')), absl::DataLossError("page 5 is damaged"));
}

// SQLite does not write pages that are free again before they were ever written, if it need not
// overwrite them.
TEST(EncryptedFileTest, HolesAreFilled) {
  const TempFolder folder;
  const std::string path = folder.File("a.db");
  for (const Journal journal : {Journal::kDelete, Journal::kWal}) {
    std::filesystem::remove(path);
    {
      auto connection = internal::Connection::Open(path, {.journal = journal, .storage = Keyed()});
      ASSERT_TRUE(connection.ok()) << connection.status();
      for (const char* sql :
           {"PRAGMA secure_delete = OFF", "CREATE TABLE t (x)", "BEGIN",
            "INSERT INTO t VALUES (zeroblob(400000))", "INSERT INTO t VALUES (zeroblob(9000))",
            "DELETE FROM t WHERE rowid = 1", "COMMIT"}) {
        ASSERT_EQ((*connection)->Execute(sql), absl::OkStatus()) << sql;
      }
    }
    EXPECT_GT(TempFolder::Load(path).size(), 400'000u);
    EXPECT_EQ(CheckDatabase(path, Keyed()), absl::OkStatus());
  }
}

TEST(EncryptedFileTest, ReadersDoNotNeedToWrite) {
  const TempFolder folder;
  const std::string path = folder.File("a.db");
  ASSERT_EQ(AddNotes(*MustOpen(path, {.journal = Journal::kDelete, .storage = Keyed()}), 1, 10),
            absl::OkStatus());
  auto db = Database::Open(path, {.read_only = true, .storage = Keyed()});
  ASSERT_TRUE(db.ok()) << db.status();
  EXPECT_EQ(*(*db)->Count<Note>(), 10);
  Note note{11, "x"};
  EXPECT_EQ((*db)->Insert(&note).code(), absl::StatusCode::kPermissionDenied);
}

// Whole files.

absl::Status RunSql(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  int result = sqlite3_open(path.c_str(), &db);
  if (result == SQLITE_OK) result = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  const std::string message = sqlite3_errmsg(db);
  sqlite3_close(db);
  return result == SQLITE_OK ? absl::OkStatus() : absl::InternalError(message);
}

class EncryptedFilesTest : public ::testing::TestWithParam<int> {
 protected:
  TempFolder folder_;
  const std::string plain_ = folder_.File("plain ' %20?#.db");
  const std::string encrypted_ = folder_.File("encrypted ' %20?#.db");
  const std::string again_ = folder_.File("again.db");
};

INSTANTIATE_TEST_SUITE_P(PageSizes, EncryptedFilesTest, ::testing::Values(512, 4096, 65536));

TEST_P(EncryptedFilesTest, EncryptedAndDecryptedItIsTheSame) {
  ASSERT_EQ(RunSql(plain_, ("PRAGMA page_size = " + std::to_string(GetParam())).c_str()),
            absl::OkStatus());
  ASSERT_EQ(RunSql(plain_, ("PRAGMA page_size = " + std::to_string(GetParam()) +
                            "; PRAGMA user_version = 7; CREATE TABLE other (x); CREATE INDEX i ON "
                            "other (x); INSERT INTO other VALUES ('the quick brown fox');")
                               .c_str()),
            absl::OkStatus());
  ASSERT_EQ(AddTogether(*MustOpen(plain_, {}), 1, 300, 100), absl::OkStatus());
  const std::string original = TempFolder::Load(plain_);

  ASSERT_EQ(EncryptDatabase(plain_, encrypted_, Keyed()), absl::OkStatus());
  EXPECT_EQ(TempFolder::Load(plain_), original);
  EXPECT_EQ(TempFolder::Load(encrypted_).find(kSecret), std::string::npos);
  EXPECT_EQ(CheckDatabase(encrypted_, Keyed()), absl::OkStatus());
  for (const Journal journal : {Journal::kWal, Journal::kDelete}) {
    auto db = MustOpen(encrypted_, {.journal = journal, .storage = Keyed()});
    EXPECT_EQ(ReadNotes(*db, 300, 100), absl::OkStatus());
    Note note{300, Secret(300) + std::string(100, 'x')};
    EXPECT_EQ(db->Update(&note), absl::OkStatus());
  }

  ASSERT_EQ(DecryptDatabase(encrypted_, Keyed(), again_), absl::OkStatus());
  EXPECT_EQ(ReadNotes(*MustOpen(again_, {.journal = Journal::kDelete}), 300, 100),
            absl::OkStatus());
  EXPECT_EQ(RunSql(again_, "SELECT 1 / (count(*) = 1) FROM other"), absl::OkStatus());
  EXPECT_NE(TempFolder::Load(again_).find(kSecret), std::string::npos);
}

TEST(EncryptedFilesErrorTest, NothingIsOverwrittenOrLeft) {
  const TempFolder folder;
  const std::string plain = folder.File("plain.db");
  const std::string encrypted = folder.File("encrypted.db");
  EXPECT_EQ(EncryptDatabase(plain, encrypted, Keyed()).code(), absl::StatusCode::kNotFound);
  MustOpen(plain, {});
  TempFolder::Store(encrypted, "precious");
  EXPECT_EQ(EncryptDatabase(plain, encrypted, Keyed()).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(TempFolder::Load(encrypted), "precious");
  const std::string elsewhere = folder.File("no/such/folder.db");
  EXPECT_FALSE(EncryptDatabase(plain, elsewhere, Keyed()).ok());
  TempFolder::Store(plain, std::string(5000, 'x'));
  const std::string third = folder.File("third.db");
  EXPECT_EQ(EncryptDatabase(plain, third, Keyed()).code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(std::filesystem::exists(third));
  MustOpen(third, {.storage = Keyed()});
  EXPECT_EQ(DecryptDatabase(third, Keyed(1), elsewhere).code(), absl::StatusCode::kUnauthenticated);
}

TEST(EncryptedRekeyTest, AfterItTheNewKeyAloneOpens) {
  const TempFolder folder;
  const std::string path = folder.File("a.db");
  for (const Journal journal : {Journal::kWal, Journal::kDelete}) {
    std::filesystem::remove(path);
    ASSERT_EQ(AddTogether(*MustOpen(path, {.journal = journal, .storage = Keyed()}), 1, 300, 100),
              absl::OkStatus());
    const std::string before = TempFolder::Load(path);
    ASSERT_EQ(RekeyDatabase(path, Keyed(), WithPassword("correct horse")), absl::OkStatus());
    EXPECT_EQ(OpenStatus(path, Keyed()).code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(RekeyDatabase(path, Keyed(), Keyed(2)).code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(CheckDatabase(path, WithPassword("correct horse")), absl::OkStatus());
    ASSERT_EQ(RekeyDatabase(path, WithPassword("correct horse"), Keyed(3)), absl::OkStatus());
    EXPECT_EQ(ReadNotes(*MustOpen(path, {.journal = journal, .storage = Keyed(3)}), 300, 100),
              absl::OkStatus());
    // Not a page is as it was, nor would the old keys open it.
    const std::string after = TempFolder::Load(path);
    for (std::size_t at = 8192; at + 4096 <= before.size(); at += 4096) {
      EXPECT_NE(after.substr(at + 4064, 32), before.substr(at + 4064, 32)) << at;
    }
    EXPECT_FALSE(std::filesystem::exists(path + "-rekey"));
  }
}

TEST(EncryptedRekeyTest, OtherConnectionsAreNotLeftBehind) {
  const TempFolder folder;
  const std::string path = folder.File("a.db");
  auto wal = MustOpen(path, {.storage = Keyed()});
  ASSERT_EQ(AddTogether(*wal, 1, 10), absl::OkStatus());
  EXPECT_FALSE(RekeyDatabase(path, Keyed(), Keyed(1)).ok());  // It is at work.
  wal.reset();

  // One that is idle, without a lock, has to look at the header again.
  auto idle = MustOpen(path, {.journal = Journal::kDelete, .storage = Keyed()});
  ASSERT_EQ(ReadNotes(*idle, 10), absl::OkStatus());
  ASSERT_EQ(RekeyDatabase(path, Keyed(), Keyed(1)), absl::OkStatus());
  Note note{1, "x"};
  EXPECT_EQ(idle->Update(&note).code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(idle->Count<Note>().status().code(), absl::StatusCode::kUnauthenticated);
  idle.reset();
  EXPECT_EQ(ReadNotes(*MustOpen(path, {.storage = Keyed(1)}), 10), absl::OkStatus());
}

TEST(EncryptedRekeyTest, TheSameKeyMayBeGivenAgain) {
  const TempFolder folder;
  const std::string path = folder.File("a.db");
  auto idle = MustOpen(path, {.journal = Journal::kDelete, .storage = Keyed()});
  ASSERT_EQ(AddTogether(*idle, 1, 10), absl::OkStatus());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(RekeyDatabase(path, Keyed(), Keyed()), absl::OkStatus());
    ASSERT_EQ(ReadNotes(*idle, 10), absl::OkStatus());
    ASSERT_EQ(idle->Transact([](Transaction& t) {
      Note note{1, Secret(1)};
      return t.Update(&note);
    }),
              absl::OkStatus());
  }
  EXPECT_EQ(CheckDatabase(path, Keyed()), absl::OkStatus());
}

}  // namespace
}  // namespace strata::orm
