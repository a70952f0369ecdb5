// Forms in memory and in a temporary file, alone and as handlers of a server.

#include "strata/http/multipart_form.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/form_handler.h"
#include "strata/http/server.h"
#include "strata/http/testing/wire.h"
#include "strata/net/file.h"
#include "strata/net/testing/server_test.h"

namespace strata::http {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=XX";

std::string Value(std::string_view name, std::string_view value) {
  return "--XX\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" +
         std::string(value) + "\r\n";
}

std::string Upload(std::string_view name, std::string_view filename, std::string_view bytes) {
  return "--XX\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"; filename=\"" +
         std::string(filename) + "\"\r\nContent-Type: image/png\r\n\r\n" + std::string(bytes) +
         "\r\n";
}

constexpr std::string_view kEnd = "--XX--\r\n";

std::string ReadFile(const FormPart& part) {
  std::string bytes(part.file.bytes, '\0');
  EXPECT_EQ(part.file.file->ReadAt(part.file.offset, bytes).value(), bytes.size());
  return bytes;
}

// The descriptors that this process has open.
std::size_t OpenFiles() {
  DIR* const folder = opendir("/proc/self/fd");
  std::size_t count = 0;
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

class MultipartFormTest : public ::testing::Test {
 protected:
  MultipartFormTest() {
    options_.temporary_folder = ::testing::TempDir();
    options_.max_memory_bytes = 100;
    options_.max_file_memory_bytes = 10;
  }

  absl::Status Read(std::string_view body) {
    form_.emplace(MultipartForm::Create(kType, options_).value());
    // In pieces of every kind.
    for (std::size_t at = 0, size = 1; at < body.size(); at += size, size = size % 40 + 1) {
      if (absl::Status status = form_->Feed(body.substr(at, size)); !status.ok()) return status;
    }
    return form_->Finish();
  }

  MultipartFormOptions options_;
  std::optional<MultipartForm> form_;
};

TEST_F(MultipartFormTest, ValuesAreInMemory) {
  ASSERT_TRUE(Read(Value("a", "1") + Value("b", "") + Value("a", "2") + std::string(kEnd)).ok());
  ASSERT_EQ(form_->parts().size(), 3u);
  EXPECT_EQ(form_->Find("a")->bytes, "1");
  EXPECT_EQ(form_->Find("a")->filename, std::nullopt);
  EXPECT_EQ(form_->Find("b")->size_bytes, 0u);
  EXPECT_EQ(form_->parts()[2].bytes, "2");
  EXPECT_EQ(form_->Find("c"), nullptr);
}

TEST_F(MultipartFormTest, SmallFilesToo) {
  ASSERT_TRUE(Read(Upload("f", "a/b.png", "0123456789") + std::string(kEnd)).ok());
  const FormPart& part = *form_->Find("f");
  EXPECT_EQ(part.filename, "a/b.png");
  EXPECT_EQ(part.content_type, "image/png");
  EXPECT_EQ(part.bytes, "0123456789");
  EXPECT_EQ(part.file.file, nullptr);
}

TEST_F(MultipartFormTest, LargeFilesShareATemporaryOne) {
  const std::size_t before = OpenFiles();
  const std::string large(5000, 'l');
  ASSERT_TRUE(Read(Upload("x", "x", large) + Value("v", "value") + Upload("y", "y", "01234567890") +
                   Upload("z", "z", "small") + std::string(kEnd))
                  .ok());
  EXPECT_EQ(OpenFiles(), before + 1);
  EXPECT_EQ(ReadFile(*form_->Find("x")), large);
  EXPECT_EQ(form_->Find("x")->size_bytes, large.size());
  EXPECT_EQ(form_->Find("x")->bytes, "");
  EXPECT_EQ(ReadFile(*form_->Find("y")), "01234567890");
  EXPECT_EQ(form_->Find("y")->file.file, form_->Find("x")->file.file);
  EXPECT_EQ(form_->Find("z")->bytes, "small");
  form_.reset();
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(MultipartFormTest, TheTemporaryFileHasNoName) {
  std::string folder = ::testing::TempDir() + "/form_test_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  options_.temporary_folder = folder;
  ASSERT_TRUE(Read(Upload("x", "x", std::string(100, 'x')) + std::string(kEnd)).ok());
  // An empty folder, that is.
  EXPECT_EQ(rmdir(folder.c_str()), 0);
}

TEST_F(MultipartFormTest, AFormThatIsGivenUpLeavesNothing) {
  const std::size_t before = OpenFiles();
  form_.emplace(MultipartForm::Create(kType, options_).value());
  ASSERT_TRUE(form_->Feed(Upload("x", "x", std::string(100, 'x'))).ok());
  EXPECT_TRUE(form_->parts().empty());
  form_.reset();
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(MultipartFormTest, ManySmallFilesGoToDiskWhenTheMemoryIsFull) {
  std::string body;
  for (int i = 0; i < 50; ++i) body += Upload("f", "f", "1234567890");
  ASSERT_TRUE(Read(body + std::string(kEnd)).ok());
  std::size_t in_memory = 0;
  for (const FormPart& part : form_->parts()) {
    in_memory += part.bytes.size();
    EXPECT_EQ(part.file.file ? ReadFile(part) : part.bytes, "1234567890");
  }
  EXPECT_EQ(in_memory, 100u);
}

TEST_F(MultipartFormTest, ValuesHaveToFitIntoTheMemory) {
  EXPECT_TRUE(Read(Value("v", std::string(100, 'v')) + std::string(kEnd)).ok());
  const std::string body = Value("v", std::string(60, 'v')) + Value("w", std::string(41, 'w'));
  EXPECT_EQ(Read(body).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(form_->Feed("x").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(form_->Finish().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(form_->parts().empty());
}

TEST_F(MultipartFormTest, WhatIsNoFormIsInvalid) {
  EXPECT_EQ(Read("--XX\r\nno header\r\n\r\n").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Read(Value("a", "1")).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(MultipartForm::Create("multipart/form-data").ok());
  EXPECT_FALSE(MultipartForm::Create("text/plain; boundary=XX").ok());
}

TEST_F(MultipartFormTest, TheExample) {
  const std::string_view content_type = kType;
  const std::string bytes = Upload("photo", "../a b.png", "x") + std::string(kEnd);
  absl::StatusOr<MultipartForm> form = MultipartForm::Create(content_type);  // Else 415.
  ASSERT_TRUE(form.ok());
  absl::Status status = form->Feed(bytes);  // As often as bytes come.
  if (status.ok()) status = form->Finish();
  ASSERT_TRUE(status.ok()) << status;
  const FormPart* photo = form->Find("photo");
  const std::string name = SafeFilename(photo->filename.value_or(""));
  EXPECT_EQ(name, "a b.png");
}

TEST_F(MultipartFormTest, AFolderThatIsNotThereIsTold) {
  options_.temporary_folder = "/nowhere/at/all";
  const absl::Status status = Read(Upload("x", "x", std::string(100, 'x')) + std::string(kEnd));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("/nowhere/at/all"), std::string::npos);
}

// ---- Handlers ----------------------------------------------------------------------------------

class FormHandlerTest : public testing::WireTest {
 protected:
  // The example of form_handler.h, and a form with small bounds that tells what it has got.
  void ServeForms(std::string temporary_folder = ::testing::TempDir()) {
    Router router;
    router.HandleStream(
        Method::kPost, "/photos",
        OnForm([](const KeptRequest&, MultipartForm form, Responder responder) {
          const FormPart* photo = form.Find("photo");
          if (!photo) return responder.Send(Reply(400, "text/plain", "no photo\n"));
          const std::string name = SafeFilename(photo->filename.value_or(""));
          responder.Send(Reply(201, "text/plain", absl::StrCat(name, ": ", photo->size_bytes)));
        }));
    MultipartFormOptions options;
    options.temporary_folder = std::move(temporary_folder);
    options.max_memory_bytes = 1000;
    options.max_file_memory_bytes = 100;
    options.limits.max_body_bytes = 4'000'000;
    router.HandleStream(
        Method::kPost, "/kept/{name}",
        OnForm(
            [](const KeptRequest& request, MultipartForm form, Responder responder) {
              const FormPart* const part = form.Find(request.param("name"));
              if (!part) return responder.Send(Reply(404));
              Reply reply;
              reply.SetBody(part->file.file ? ReplyBody(part->file) : ReplyBody(part->bytes));
              responder.Send(std::move(reply));
            },
            std::move(options)));
    ServerOptions server_options;
    server_options.limits.max_body_bytes = 100;  // Does not count here.
    Serve(std::move(router), std::move(server_options));
  }

  static std::string Post(std::string_view path, std::string_view body,
                          std::string_view type = kType) {
    return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: a\r\nContent-Type: ", type,
                        "\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
  }
};

TEST_F(FormHandlerTest, AFormIsGivenWhole) {
  ServeForms();
  testing::WireClient client = Connect();
  const testing::WireResponse response =
      client.Ask(Post("/photos", Upload("photo", "C:\\x\\a.png", "1234") + std::string(kEnd)));
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "a.png: 4");
  EXPECT_EQ(client.Ask(Post("/photos", Value("v", "1") + std::string(kEnd))).status, 400);

  const std::string large = net::testing::Pattern(3'000'000);
  const std::string body =
      Upload("large", "l", large) + Value("small", "the value") + std::string(kEnd);
  EXPECT_TRUE(client.Ask(Post("/kept/large", body)).body == large);
  EXPECT_EQ(client.Ask(Post("/kept/small", body)).body, "the value");
}

TEST_F(FormHandlerTest, WhatIsNoFormIsAnswered) {
  ServeForms();
  testing::WireClient client = Connect();
  EXPECT_EQ(client.Ask(Post("/photos", "{}", "application/json")).status, 415);
  EXPECT_EQ(client.Ask(Post("/photos", "", "multipart/form-data")).status, 415);
  EXPECT_EQ(client.Ask(Post("/photos", "--XX\r\nno header\r\n\r\n")).status, 400);
  EXPECT_EQ(client.Ask(Post("/photos", Value("v", "1"))).status, 400) << "cut off";
  EXPECT_EQ(client.Ask(Post("/photos", "")).status, 400);
  EXPECT_EQ(client.Ask(Post("/photos", Upload("photo", "a", "") + std::string(kEnd))).status, 201)
      << "the connection goes on";
}

TEST_F(FormHandlerTest, AFormThatIsTooLargeIsAnswered) {
  ServeForms();
  // One that stays, so that all that the server opens for itself is open.
  testing::WireClient first = Connect();
  EXPECT_EQ(first.Ask(testing::Get("/")).status, 404);
  const std::size_t before = OpenFiles();
  {
    testing::WireClient client = Connect();
    EXPECT_EQ(
        client.Ask(Post("/kept/v", Value("v", std::string(1001, 'v')) + std::string(kEnd))).status,
        413);
  }
  {
    testing::WireClient client = Connect();
    const std::string body = Upload("f", "f", std::string(5'000'000, 'f')) + std::string(kEnd);
    EXPECT_EQ(client.Ask(Post("/kept/f", body)).status, 413);
  }
  {
    testing::WireClient client = Connect();
    client.Send(Post("/kept/f", Upload("f", "f", std::string(5'000, 'f'))).substr(0, 3'000));
  }
  // Nothing is left of any of them, nor of who leaves in the middle.
  EXPECT_TRUE(Eventually([&] { return OpenFiles() == before; }));
}

TEST_F(FormHandlerTest, ADiskThatFailsIsNotShown) {
  ServeForms("/nowhere/at/all");
  const testing::WireResponse response =
      Connect().Ask(Post("/kept/f", Upload("f", "f", std::string(1'000, 'f')) + std::string(kEnd)));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("nowhere"), std::string::npos);
}

}  // namespace
}  // namespace strata::http
