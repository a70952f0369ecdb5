// File: ref_ptr.h
//
// A counted reference to an object that carries its own count: half the size of std::shared_ptr,
// and with no block of its own, which counts when a connection may cost 256 bytes.
//
//   class Thing : public RefCounted { ... };
//   RefPtr<Thing> thing(new Thing);   // The first reference.
//
// References to one object may be copied and dropped by several threads; one RefPtr belongs to one.

#ifndef STRATA_NET_REF_PTR_H_
#define STRATA_NET_REF_PTR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace strata::net {

// Deleted by the thread that drops the last reference.
class RefCounted {
 public:
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void Ref() const { references_.fetch_add(1, std::memory_order_relaxed); }

  void Unref() const {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 protected:
  RefCounted() = default;
  virtual ~RefCounted() = default;

 private:
  mutable std::atomic<std::uint32_t> references_{0};
};

// May be null.
template <typename T>
class RefPtr {
 public:
  RefPtr() = default;
  RefPtr(std::nullptr_t) {}
  explicit RefPtr(T* object) : object_(object) {
    if (object_) object_->Ref();
  }
  RefPtr(const RefPtr& other) : RefPtr(other.object_) {}
  RefPtr(RefPtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}

  // Of a class derived from T.
  template <typename U>
  RefPtr(RefPtr<U> other) : RefPtr(other.get()) {}

  RefPtr& operator=(RefPtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }

  ~RefPtr() {
    if (object_) object_->Unref();
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  friend bool operator==(const RefPtr& a, const RefPtr& b) { return a.object_ == b.object_; }

 private:
  T* object_ = nullptr;
};

}  // namespace strata::net

#endif  // STRATA_NET_REF_PTR_H_
