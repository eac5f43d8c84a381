// What we keep of each object of libc's that is ours, such as a FILE or a DIR.
#pragma once

#include <stdlib.h>

#include <atomic>

namespace ossloop::shim {

// The records are used again and never freed, so that the list needs no lock.
template <typename Owner, typename Data>
class OwnedRecords {
 public:
  struct Record : Data {
    std::atomic<Owner*> owner{nullptr};
    std::atomic<bool> taken{false};
    Record* next = nullptr;
  };

  Record* first() const { return first_.load(); }
  // nullptr if it has none.
  Record* find(const Owner* owner) const {
    Record* record = first();
    while (record != nullptr && record->owner.load() != owner) record = record->next;
    return record;
  }

  // A record that find() knows once its owner is stored. nullptr: there is no memory.
  Record* take() {
    for (Record* record = first(); record != nullptr; record = record->next) {
      if (!record->taken.exchange(true)) return record;
    }
    auto* record = static_cast<Record*>(::calloc(1, sizeof(Record)));
    if (record == nullptr) return nullptr;
    record->taken.store(true);
    record->next = first();
    while (!first_.compare_exchange_weak(record->next, record)) {
    }
    return record;
  }
  static void give_back(Record* record) {
    record->owner.store(nullptr);
    record->taken.store(false);
  }

 private:
  std::atomic<Record*> first_{nullptr};
};

}  // namespace ossloop::shim
