// The Lua scripts of the second tier, sent whole with every call: a server may forget them at any time (SCRIPT FLUSH, a
// failover, its limit of scripts), and what was refused for that could not be sent again in its place. Each touches one
// key, but for kStoreTagged; each that writes ends with a read of the key, because Redis forgets who tracks a key when
// it is written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tiercel::redis {

enum class Script : std::uint8_t { kStoreTagged, kFill, kRefresh, kTakeOver, kFail, kSoften, kHeld, kSweep, kRenew };
inline constexpr std::size_t kScripts = 9;

// Byte ranges are those of src/core/entry/entry.h: GETRANGE and SETRANGE count from 0, string.sub from 1.

// A value that the caller has, as SET stores it, with tags whose stamps are not known yet: what was sent in front of it
// has made those that did
// not exist. KEYS: the entry's, then those of the tags. ARGV: entry, PX, and where in the entry the stamp of each tag
// is, in this order. Returns PTTL and those stamps; -4 and stores nothing when a tag has none.
inline constexpr std::string_view kStoreTaggedSource =
    "local e,parts,from,told=ARGV[1],{},1,{0}\n"
    "for i=2,#KEYS do\n"
    "local s=redis.call('GET',KEYS[i])\n"
    "if not s or #s~=16 then return -4 end\n"
    "local at=tonumber(ARGV[i+1])\n"
    "parts[#parts+1]=e:sub(from,at)\n"
    "parts[#parts+1]=s\n"
    "told[i]=s\n"
    "from=at+17\n"
    "end\n"
    "parts[#parts+1]=e:sub(from)\n"
    "redis.call('SET',KEYS[1],table.concat(parts),'PX',ARGV[2])\n"
    "told[1]=redis.call('PTTL',KEYS[1])\n"
    "return told";

// The value of a load, if its lease is still held. ARGV: lease id, entry, PX. Returns PTTL, or -3.
inline constexpr std::string_view kFillSource =
    "if redis.call('GETRANGE',KEYS[1],64,79)~=ARGV[1] then return -3 end\n"
    "redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3])\n"
    "return redis.call('PTTL',KEYS[1])";

// A lease on a value that stays readable meanwhile. ARGV: lease id, lease ms. Returns 1, 0 (somebody else has it), 2 (a
// load failed a moment ago), -1 (there is no value).
inline constexpr std::string_view kRefreshSource =
    "local h=redis.call('GETRANGE',KEYS[1],0,87)\n"
    "if #h<88 or h:byte(3)~=0 then return -1 end\n"
    "local t=redis.call('TIME')\n"
    "local now=t[1]*1000+math.floor(t[2]/1000)\n"
    "local u=0\n"
    "for i=86,81,-1 do u=u*256+h:byte(i) end\n"
    "if u>now then return h:sub(65,80)==string.rep('\\0',16) and 2 or 0 end\n"
    "u=now+ARGV[2]\n"
    "local b={}\n"
    "for i=1,6 do b[i]=string.char(u%256) u=math.floor(u/256) end\n"
    "redis.call('SETRANGE',KEYS[1],64,ARGV[1]..table.concat(b))\n"
    "redis.call('PTTL',KEYS[1])\n"
    "return 1";

// A lease in the place of a value that no reader may use. ARGV: what was read of it (its first 24 bytes), marker, lease
// ms. Returns 1, or 0 when something else is there by now.
inline constexpr std::string_view kTakeOverSource =
    "if redis.call('GETRANGE',KEYS[1],0,23)~=ARGV[1] then return 0 end\n"
    "redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3])\n"
    "redis.call('PTTL',KEYS[1])\n"
    "return 1";

// The load has ended without a value. ARGV: lease id, what tells the others (or ''), ms for which they shall not try.
// Returns 1, or 0 when the lease was lost.
inline constexpr std::string_view kFailSource =
    "local h=redis.call('GETRANGE',KEYS[1],0,87)\n"
    "if h:sub(65,80)~=ARGV[1] then return 0 end\n"
    "if h:byte(3)%2==1 then\n"
    "if ARGV[3]=='0' or ARGV[2]=='' then redis.call('DEL',KEYS[1])\n"
    "else redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) end\n"
    "else\n"
    "local u=0\n"
    "if ARGV[3]~='0' then local t=redis.call('TIME') u=t[1]*1000+math.floor(t[2]/1000)+ARGV[3] end\n"
    "local b={}\n"
    "for i=1,6 do b[i]=string.char(u%256) u=math.floor(u/256) end\n"
    "redis.call('SETRANGE',KEYS[1],64,string.rep('\\0',16)..table.concat(b))\n"
    "end\n"
    "redis.call('PTTL',KEYS[1])\n"
    "return 1";

// An invalidation that leaves a copy for staleIfError. Loads under way lose their lease. Returns whether there was a
// value.
inline constexpr std::string_view kSoftenSource =
    "local h=redis.call('GETRANGE',KEYS[1],0,87)\n"
    "if #h<88 or h:byte(3)~=0 then redis.call('DEL',KEYS[1]) return 0 end\n"
    "redis.call('SETRANGE',KEYS[1],64,string.rep('\\0',22)..'\\1')\n"
    "redis.call('PTTL',KEYS[1])\n"
    "return 1";

// Whether a lease is still held. ARGV: lease id. Returns 1 or 0.
inline constexpr std::string_view kHeldSource =
    "if redis.call('GETRANGE',KEYS[1],64,79)==ARGV[1] then return 1 end\n"
    "return 0";

// The lease lasts for some time more, from now on. ARGV: lease id, lease ms. Returns 1, or 0 when the lease was lost.
inline constexpr std::string_view kRenewSource =
    "local h=redis.call('GETRANGE',KEYS[1],0,87)\n"
    "if h:sub(65,80)~=ARGV[1] then return 0 end\n"
    "if h:byte(3)%2==1 then redis.call('PEXPIRE',KEYS[1],ARGV[2])\n"
    "else\n"
    "local t=redis.call('TIME')\n"
    "local u=t[1]*1000+math.floor(t[2]/1000)+ARGV[2]\n"
    "local b={}\n"
    "for i=1,6 do b[i]=string.char(u%256) u=math.floor(u/256) end\n"
    "redis.call('SETRANGE',KEYS[1],80,table.concat(b))\n"
    "end\n"
    "redis.call('PTTL',KEYS[1])\n"
    "return 1";

// Gives back an entry that an invalidation made useless. ARGV: the tag, the stamp that makes it useful. One that does
// not carry the tag any more stays. An entry keeps its tags right behind the header: length, stamp, name. Returns how
// many were removed.
inline constexpr std::string_view kSweepSource =
    "local h=redis.call('GETRANGE',KEYS[1],0,55)\n"
    "if #h<56 or h:byte(3)~=0 then return 0 end\n"
    "local n=0\n"
    "for i=56,53,-1 do n=n*256+h:byte(i) end\n"
    "if n==0 then return 0 end\n"
    "local t=redis.call('GETRANGE',KEYS[1],88,87+n)\n"
    "local i=1\n"
    "while i+17<=#t do\n"
    "local l=t:byte(i)+t:byte(i+1)*256\n"
    "if t:sub(i+18,i+17+l)==ARGV[1] then\n"
    "if t:sub(i+2,i+17)==ARGV[2] then return 0 end\n"
    "return redis.call('UNLINK',KEYS[1])\n"
    "end\n"
    "i=i+18+l\n"
    "end\n"
    "return 0";

inline constexpr std::array<std::string_view, kScripts> kScriptSources{kStoreTaggedSource, kFillSource,  kRefreshSource,
                                                                       kTakeOverSource,    kFailSource,  kSoftenSource,
                                                                       kHeldSource,        kSweepSource, kRenewSource};

}  // namespace tiercel::redis
