#include "core/entry_block.h"

#include <cstring>

namespace tiercel::core {

Entry EntryBlock::entry() const {
  const char* at = bytes() + keySize;
  return {.codec = codec,
          .flags = flags,
          .fillId = fillId,
          .created = created,
          .freshFor = freshFor,
          .staleFor = staleFor,
          .keepFor = keepFor,
          .loadTime = loadTime,
          .tags = {at, tagsSize},
          .metadata = {at + tagsSize, metadataSize},
          .payload = {at + tagsSize + metadataSize, payloadSize}};
}

bool fitsBlock(std::string_view key, const Entry& entry) {
  for (const std::string_view part : {key, entry.tags, entry.metadata, entry.payload}) {
    if (part.size() > UINT32_MAX) return false;
  }
  return true;
}

EntryBlockPtr makeEntryBlock(std::string_view key, const Entry& entry, const Deadlines& deadlines) {
  const std::string_view parts[] = {key, entry.tags, entry.metadata, entry.payload};
  std::size_t size = sizeof(EntryBlock);
  for (const std::string_view part : parts) size += part.size();
  void* raw = ::operator new(size, std::nothrow);
  if (raw == nullptr) return nullptr;
  EntryBlockPtr block(new (raw) EntryBlock{.fillId = entry.fillId,
                                           .deadlines = deadlines,
                                           .created = entry.created,
                                           .freshFor = entry.freshFor,
                                           .staleFor = entry.staleFor,
                                           .keepFor = entry.keepFor,
                                           .loadTime = entry.loadTime,
                                           .keySize = static_cast<std::uint32_t>(key.size()),
                                           .tagsSize = static_cast<std::uint32_t>(entry.tags.size()),
                                           .metadataSize = static_cast<std::uint32_t>(entry.metadata.size()),
                                           .payloadSize = static_cast<std::uint32_t>(entry.payload.size()),
                                           .flags = entry.flags,
                                           .codec = entry.codec});
  char* at = static_cast<char*>(raw) + sizeof(EntryBlock);
  for (const std::string_view part : parts) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return block;
}

}  // namespace tiercel::core
