// File: form_handler.h
//
// Handlers of uploads: forms of type multipart/form-data, collected as they come.
//
//   router.HandleStream(
//       Method::kPost, "/photos",
//       OnForm([](const KeptRequest&, MultipartForm form, Responder responder) {
//         const FormPart* photo = form.Find("photo");
//         if (!photo) return responder.Send(Reply(400, "text/plain", "no photo\n"));
//         const std::string name = SafeFilename(photo->filename.value_or(""));
//         responder.Send(Reply(201, "text/plain", absl::StrCat(name, ": ", photo->size_bytes)));
//       }));
//
// What multipart_form.h says holds: values are in memory, large files in a temporary one.

#ifndef STRATA_HTTP_FORM_HANDLER_H_
#define STRATA_HTTP_FORM_HANDLER_H_

#include "absl/functional/any_invocable.h"
#include "strata/http/handler.h"
#include "strata/http/multipart_form.h"
#include "strata/http/request.h"
#include "strata/http/response.h"

namespace strata::http {

// Takes a whole form, and answers now or later. On the loop, so it must not block: what does, such
// as reading a file of the form, takes form and responder to a net::WorkerPool. The request has no
// body.
using FormHandler = absl::AnyInvocable<void(const KeptRequest& request, MultipartForm form,
                                            Responder responder) const>;

// For Router::HandleStream(). Answered without the handler: what is no form, with 415 or 400; a
// form beyond the limits, with 413; one that the disk does not take, with 500. The limits of the
// options count, not those of the server; RouteOptions::max_body_bytes, if there is one, counts
// too.
StreamingHandler OnForm(FormHandler handler, MultipartFormOptions options = {});

}  // namespace strata::http

#endif  // STRATA_HTTP_FORM_HANDLER_H_
