// File: multipart_form.h
//
// A body of type multipart/form-data, collected: values in memory, large files in a temporary one.
//
//   absl::StatusOr<MultipartForm> form = MultipartForm::Create(content_type);  // Else 415.
//   absl::Status status = form->Feed(bytes);  // As often as bytes come.
//   if (status.ok()) status = form->Finish();
//   const FormPart* photo = form->Find("photo");
//   const std::string name = SafeFilename(photo->filename.value_or(""));
//
// As the handler of a route: form_handler.h.
//
// However many files a client sends, and however large, there is one temporary file for each form,
// which has no name: it is gone with the last who holds it, also when the program is killed. A form
// is used by one thread at a time.

#ifndef STRATA_HTTP_MULTIPART_FORM_H_
#define STRATA_HTTP_MULTIPART_FORM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/http/multipart.h"
#include "strata/http/reply.h"

namespace strata::http {

struct MultipartFormOptions {
  MultipartLimits limits = {};

  // What all parts together may keep in memory. Values, which are parts without a filename, always
  // stay there, and a form with more of them is ResourceExhausted; files that have no room there go
  // to the temporary one.
  std::size_t max_memory_bytes = 1024 * 1024;

  // A file that has more goes there too. It is also how much is written at once.
  std::size_t max_file_memory_bytes = 64 * 1024;

  // Of the temporary file. Writing blocks as long as the disk does, which is not at all as long as
  // the system has memory for it.
  std::string temporary_folder = "/tmp";
};

struct FormPart {
  std::string name;
  std::optional<std::string> filename;  // As sent: see MultipartPart.
  std::string content_type;             // Empty if there is none.
  std::uint64_t size_bytes = 0;

  // All of it, if `file.file` is null.
  std::string bytes;

  // Where it is otherwise: a stretch of the temporary file, which can be read by any thread, and be
  // a ReplyBody.
  FileRange file;
};

class MultipartForm {
 public:
  // InvalidArgument if the value of Content-Type is none of multipart/form-data.
  static absl::StatusOr<MultipartForm> Create(std::string_view content_type,
                                              const MultipartFormOptions& options = {});

  MultipartForm(MultipartForm&&) noexcept;
  MultipartForm& operator=(MultipartForm&&) noexcept;
  ~MultipartForm();

  // Takes the next bytes. InvalidArgument for what is no form, ResourceExhausted for more than the
  // options allow, another status if the temporary file fails: Unavailable if the disk is full.
  // Once it has failed, it fails for the same reason.
  absl::Status Feed(std::string_view bytes);

  // There are no more bytes.
  absl::Status Finish();

  // Once finished, in the order of the body; before that, nothing.
  std::span<const FormPart> parts() const;

  // The first part of that name; null if there is none.
  const FormPart* Find(std::string_view name) const;

 private:
  class Collector;
  explicit MultipartForm(std::unique_ptr<Collector> collector);

  std::unique_ptr<Collector> collector_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_MULTIPART_FORM_H_
