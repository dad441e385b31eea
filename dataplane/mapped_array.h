// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "config/types/result.h"

namespace lbdp::dataplane {

/// Zeroed memory for `T`s that zeroed bytes make, straight from the kernel: what is never touched costs address space
/// only.
template <class T>
class MappedArray {
 public:
  static Result<MappedArray> create(size_t count, const std::string& what) {
    void* const memory = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return fail("no memory for " + what);
    return MappedArray({static_cast<T*>(memory), count});
  }
  MappedArray(MappedArray&& other) noexcept : items_(std::exchange(other.items_, {})) {}
  MappedArray& operator=(MappedArray&&) = delete;
  ~MappedArray() {
    if (!items_.empty()) munmap(static_cast<void*>(items_.data()), items_.size_bytes());
  }

  [[nodiscard]] std::span<T> items() { return items_; }
  [[nodiscard]] std::span<const T> items() const { return items_; }

 private:
  explicit MappedArray(std::span<T> items) : items_(items) {}

  std::span<T> items_;
};

}  // namespace lbdp::dataplane
