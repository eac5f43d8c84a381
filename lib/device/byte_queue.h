// Bytes that wait to be fetched: first in, first out.
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

namespace ossloop::device {

class ByteQueue {
 public:
  std::size_t size() const { return end_ - begin_; }
  const std::byte* data() const { return memory_.data() + begin_; }

  // Room for so many bytes behind the last; how many of them count, push() says. Allocates
  // when there has never been as much.
  std::byte* room(std::size_t bytes) {
    if (begin_ != 0) std::memmove(memory_.data(), data(), size());
    end_ -= begin_;
    begin_ = 0;
    if (memory_.size() < end_ + bytes) memory_.resize(end_ + bytes);
    return memory_.data() + end_;
  }
  void push(std::size_t bytes) { end_ += bytes; }
  void pop(std::size_t bytes) { begin_ += bytes; }
  void clear() { begin_ = end_ = 0; }

 private:
  std::vector<std::byte> memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace ossloop::device
