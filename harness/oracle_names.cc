#include "harness/oracle_names.h"

#include <array>

namespace dmsim {
namespace {

constexpr std::array kOracles{
    OracleInfo{oracle::kLegsIdentical,
               "Where the log calls a region clean, all legs hold the same bytes: at rest, and after a "
               "power cut once recovery has ended.",
               "mirror.buffer=shared"},
    OracleInfo{oracle::kNoFalseSync,
               "No region is claimed in sync while its legs differ and no write is under way.",
               "mirror.dec_promotes_nosync=on"},
    OracleInfo{oracle::kReadYourWrites,
               "A read returns the newest completed write, or one that was under way, never an older.",
               "mirror.partial_write=ignore"},
    OracleInfo{oracle::kStableRead,
               "Two reads with no write between them return the same, whichever leg serves them.",
               "mirror.leg_flush_before_clean=off"},
    OracleInfo{oracle::kDurability,
               "A write that had completed before a flush that succeeded, or with FUA, survives.",
               "mirror.forward_flush=off"},
    OracleInfo{oracle::kUntouched, "Sectors that were never written keep their content.",
               "mirror.dec_promotes_nosync=on"},
    OracleInfo{oracle::kNoFalseError,
               "No request fails while a good copy could have served it.",
               "mirror.read_retry=none"},
    OracleInfo{oracle::kNoFalseSuccess, "No write succeeds that reached no copy.",
               "mirror.issue_on_log_fail_without_he=off"},
    OracleInfo{oracle::kLiveness,
               "Every request ends, and so does every suspend, resume, remove and recovery.",
               "mirror.no_valid_leg=hold"},
    OracleInfo{oracle::kNoLeak, "At rest, every counter and every pool is back where it began.",
               "mirror.nosync_entry=never-reclaim"},
    OracleInfo{oracle::kAnswers,
               "The administrator's verbs answer as the scenario says they must, and while writes are held for "
               "a repair the status shows why.",
               "mirror.log_size_check=off"},
    OracleInfo{oracle::kCommittedDurable,
               "Where the metadata of a clone that are durable say that a region is on the destination, it is "
               "durable there.",
               "clone.flush_dest=off"},
    OracleInfo{oracle::kVersion,
               "After a power cut a sector run written at once holds a content that memory had at one "
               "instant, never a mixture of two.",
               "mirror.buffer=bounce"},
    OracleInfo{oracle::kNoEngineBug,
               "Nothing goes wrong inside the engine itself: no BUG, no WARN, no memory used after it was freed. "
               "Every plan on a kernel's own engine is held to it.",
               "-"},
    OracleInfo{oracle::kSnapshotEquals,
               "A snapshot that is not invalid holds what its origin held when it was made, and what was "
               "written to it since.",
               "snapshot.area_preflush=off"},
    OracleInfo{oracle::kOriginModel,
               "While a snapshot is merged into its origin, and afterwards, the origin holds what the "
               "snapshot held, and what was written to it since.",
               "snapshot.merge_flush=off"},
    OracleInfo{oracle::kFrozenImage,
               "A snapshot of a mounted file system shows it as it was when it was frozen, and needs no recovery.",
               "lvm.snapshot_lockfs=off"},
    OracleInfo{oracle::kOneSuspender,
               "While one process changes a device, from load or suspend to resume, no other does.",
               "lvm.lock=none"},
    OracleInfo{oracle::kMovedEqualsModel,
               "Whatever is moved meanwhile, each volume holds, through the mapping that is in force, what its users "
               "wrote: after every change of a mapping, after every write, at rest, and after a power cut through "
               "the mapping that was committed.",
               "lvm1.drain=fsync-dev"},
    OracleInfo{oracle::kCanary, "Always broken, to prove that the harness reports.", "-"},
};

}  // namespace

std::span<const OracleInfo> oracle_table() { return kOracles; }

}  // namespace dmsim
