#include "core/shared_tiers.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace tiercel::core {

namespace {

struct Registry {
  std::mutex mutex;
  std::unordered_map<std::string, std::weak_ptr<ProcessTier>> tiers;
};

// Every tier holds the registry too: a thread may close its tier when the static objects are gone already.
const std::shared_ptr<Registry>& registry() {
  static const auto instance = std::make_shared<Registry>();
  return instance;
}

// A tier that leaves the registry when it dies. To be destroyed by nobody who holds the registry's lock.
class RegisteredTier {
 public:
  RegisteredTier(std::shared_ptr<Registry> registry, std::string name, const TierOptions& options)
      : registry_(std::move(registry)), name_(std::move(name)), tier_(options) {}
  RegisteredTier(const RegisteredTier&) = delete;
  RegisteredTier& operator=(const RegisteredTier&) = delete;

  ~RegisteredTier() {
    const std::lock_guard lock(registry_->mutex);
    const auto found = registry_->tiers.find(name_);
    // The name may be open anew already.
    if (found != registry_->tiers.end() && found->second.expired()) registry_->tiers.erase(found);
  }

  [[nodiscard]] ProcessTier* tier() { return &tier_; }

 private:
  std::shared_ptr<Registry> registry_;
  std::string name_;
  ProcessTier tier_;
};

// Does not compile any more when an option is added, and not compared here.
bool sameMemory(const MemoryOptions& one, const MemoryOptions& other) {
  const auto& [maxBytes, maxEntryBytes, maxEntries] = one;
  return maxBytes == other.maxBytes && maxEntryBytes == other.maxEntryBytes && maxEntries == other.maxEntries;
}

}  // namespace

bool operator==(const TierOptions& one, const TierOptions& other) {
  const auto& [memory, standalone] = one;
  return sameMemory(memory, other.memory) && standalone == other.standalone;
}

namespace {

// Names that no entry carries are worth a sixteenth of the budget: each may hold a block of the table. Without a budget
// worth the name there is no memory tier, and they are what spares questions to the server.
std::size_t idleTagsFor(std::size_t maxBytes) {
  constexpr std::size_t kNoTier = std::size_t{64} << 10;
  return maxBytes <= kNoTier ? TagTable::kMaxIdleCells
                             : std::clamp<std::size_t>(maxBytes / 65536, 16, TagTable::kMaxIdleCells);
}

}  // namespace

ProcessTier::ProcessTier(const TierOptions& opened)
    : options(opened),
      tags(sources, opened.standalone, idleTagsFor(opened.memory.maxBytes)),
      memory(opened.memory, sources, tags) {}

ProcessTier::~ProcessTier() = default;

std::optional<SourceId> ProcessTier::openSource(Millis until) {
  if (const auto source = sources.open(until)) return source;
  sources.restart([this] {
    memory.clear();
    tags.doubtAll();
  });
  return sources.open(until);
}

std::shared_ptr<ProcessTier> openTier(const std::string& name, const TierOptions& options,
                                      std::optional<TierOptions>& conflicting) {
  conflicting.reset();
  const std::shared_ptr<Registry>& tiers = registry();
  // Declared before the lock: if they turn out to be the last holder, they go after it was given back.
  std::shared_ptr<ProcessTier> found;
  std::shared_ptr<RegisteredTier> made;
  const std::lock_guard lock(tiers->mutex);
  const auto known = tiers->tiers.find(name);
  if (known != tiers->tiers.end()) found = known->second.lock();
  if (found) {
    if (found->options == options) return found;
    conflicting = found->options;
    return nullptr;
  }
  made = std::make_shared<RegisteredTier>(tiers, name, options);
  std::shared_ptr<ProcessTier> tier(made, made->tier());
  tiers->tiers.insert_or_assign(name, tier);
  return tier;
}

std::size_t openTierCount() {
  const std::lock_guard lock(registry()->mutex);
  return registry()->tiers.size();
}

}  // namespace tiercel::core
