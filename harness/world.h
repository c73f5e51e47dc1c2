// World: one life of a simulated machine, from power on to power off.
//
// It builds the plan's disks, engine, memory and daemons, boots the mapped devices, runs the tasks, and
// hands everything that users were answered to the judge. A power cut ends a life: crash_space() of each
// disk says what may have survived, and the next life is built from survivors with the same stack. The
// life that was cut stays as it was, so that many next lives can be tried from one cut.
//
// It does not decide when to cut and what to check afterwards: see explore.h and afterlife.h.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device_mapper.h"
#include "engine/lvm/lvm1_driver.h"
#include "harness/copies.h"
#include "harness/judge.h"
#include "harness/lvm_room.h"
#include "harness/plan.h"
#include "harness/reference.h"
#include "harness/tasks/task_host.h"
#include "harness/verdict.h"
#include "harness/watched_device.h"
#include "harness/workshop.h"
#include "models/disk/disk.h"
#include "models/memory/page_cache.h"
#include "models/memory/pdflush.h"
#include "sim/scheduler.h"

namespace dmsim {

// Power is cut; `opportunity` counts the instants at which it could have been.
inline constexpr TraceKind kPowerCut{"power.cut", {{{"opportunity"}}}};
// A sector that had not been durable survived; `candidate` counts from the oldest, from 1.
inline constexpr TraceKind kSurvived{
    "power.survived", {{{"sector"}, {"count"}, {"candidate"}, {"version"}}}};
// A machine boots; `life` 0 is the first.
inline constexpr TraceKind kPowerOn{"power.on", {{{"life"}}}};
// A task of the plan begins.
inline constexpr TraceKind kTaskBegin{"task.begin", {}};
// A task of the plan has ended.
inline constexpr TraceKind kTaskEnd{"task.end", {}};

// How far a stretch of a life came.
enum class Stretch : std::uint8_t {
  kDone,     // what was waited for has happened
  kStuck,    // nothing can go on, or nothing has for longer than the plan's patience
  kPaused,   // the caller's pause function asked for it
  kBroken,   // a promise has been broken: the judge knows which
};

class World final : public TaskHost,
                    private AnswerListener,
                    private DeviceLookup,
                    private KernelMemory,
                    private FailureContext {
 public:
  // The first life. Everything outlives the world.
  World(const Plan& plan, Workshop& workshop, ChoiceSource& choices, Trace::Keep keep);
  // The life after `before` was cut, from what survived of each disk (in the plan's order), going on
  // with `trace` and with versions of contents above `last_version`. `before` stays in existence,
  // untouched, at least as long.
  World(const World& before, Trace trace, std::vector<Image> survivors, std::uint64_t last_version,
        ChoiceSource& choices);
  ~World();

  // Brings up the mapped devices, or goes on doing so after a pause. kStuck: a verb hangs; the judge
  // knows. A reason in `*refused` (which must stay where it is until the end): a table was refused.
  using Condition = std::function<bool()>;
  Stretch boot(std::string* refused, const Condition& paused);
  // Runs `body` as a task of that name. Whoever waits for its end sees it at once, not after the rest of a batch of
  // steps: that could take minutes.
  void spawn_task(std::string_view name, std::function<void()> body);
  // After the tasks: what nobody writes back in the background is written now (as umount would).
  void begin_settling();
  // Starts the plan's tasks and daemons.
  void start_tasks();
  // Runs until `done()` holds, asked after every step (or batch of steps, when nothing is watched).
  // `paused` is asked after every step too; both may be null. On kStuck the judge has been told why.
  Stretch run_until(const Condition& done, const Condition& paused);
  bool tasks_done() const { return tasks_left_ == 0; }
  // Nothing is on its way anywhere: no user request, no bio, no dirty page, no recovery to be done.
  bool at_rest() const;
  // Recovery has nothing left to do on any mirror.
  bool recovered() const;
  // As recovered(), but regions may still be tracked.
  bool regions_settled() const;
  // No request, no writeback is under way anywhere, and no page is dirty.
  bool quiet() const;
  // Requests of users that have not been answered, in words.
  std::vector<std::string> unanswered() const;
  // The first mapped device with a request of that actor's that has not been answered; empty: none.
  std::string device_that_owes(Actor issuer) const;

  // Ends every run_until() with kPaused once the trace has come to that event, after the slice or event
  // that emitted it; `on_event` (may be null) is called on the spot. Nothing before it runs differently.
  void stop_at(TraceId event, void (*on_event)());
  bool stopped() const { return stop_.reached; }

  // Grows whenever a power cut now may leave something else than a power cut before.
  std::uint64_t crash_generation() const;
  bool power_cut_requested() const { return power_cut_requested_; }

  const Plan& plan() const { return plan_; }
  Workshop& workshop() const { return workshop_; }
  std::uint32_t life() const { return life_; }
  Judge& judge() { return judge_; }
  const Judge& judge() const { return judge_; }
  Trace& trace() { return trace_; }
  const Trace& trace() const { return trace_; }
  ChoiceSource& choices() { return choices_; }
  const std::vector<std::unique_ptr<Disk>>& disks() const { return disks_; }
  const Disk* disk(std::string_view name) const;
  // What each disk held when this life began, in the plan's order.
  const std::vector<Image>& first_media() const { return first_media_; }
  // Makes every read of that disk fail from now on (a leg is lost while nobody writes).
  void fail_reads_of(std::string_view disk);
  // Mapped devices that users have touched, in order of first use.
  const std::vector<std::string>& used_devices() const { return used_devices_; }
  const Reference* reference(std::string_view device) const;
  // Those of all lives for which there is a reference.
  std::vector<std::string> checked_devices() const;
  // Where the copies of a mapped device lie by the tables that every life boots with.
  std::vector<Extent> copies_by_plan(std::string_view device) const {
    return resolve_copies(device, plan_tables());
  }
  Instant now() const { return scheduler_.now(); }
  RunStatistics statistics() const;

  // For the judge.
  struct DeviceView {
    std::string device;
    const MirrorView* view;
  };
  const std::vector<DeviceView>& mirror_views() const;
  struct CloneDevice {
    std::string device;
    const CloneView* view;
  };
  const std::vector<CloneDevice>& clone_views() const;
  // Some table of the plan, or of a verb in it, is a clone's.
  bool may_have_clones() const { return may_have_clones_; }
  // Pages of the device whose content is not known without reading: touched by users, or no longer what
  // they were at first boot on some disk that holds a copy. Ascending.
  std::vector<std::uint64_t> unknown_pages(std::string_view device);
  // Brings what unknown_pages() of later lives builds upon up to date; before a power cut is explored.
  void note_changed_pages();
  // The disk has failed a request in this life or before.
  bool disk_refused_something(std::string_view disk) const;
  // The life before this one; null: this is the first.
  const World* before() const { return before_; }
  // What the next life boots with, if that is not the plan's to say: the tables that are live now.
  std::vector<DevicePlan> devices_after_cut() const;
  // Names that the plan gives to mapped devices, or an administrator may give.
  std::vector<std::string> mapped_names() const;
  // The references of the first life, to be changed when a snapshot is made or merged there.
  Reference* own_reference(std::string_view device);
  // Some disk has lied, rotted or written elsewhere in this life or before.
  bool some_disk_was_dishonest() const;

  // The administrators of LVM2 and the file systems that stay mounted.
  LvmRoom& lvm() override { return *lvm_room_; }
  const LvmRoom& first_lvm_room() const;
  Memory& memory() { return memory_; }
  // Null: the plan has no group of LVM1.
  lvm1::Driver* lvm1() const override { return lvm1_; }
  DeviceLookup& disk_lookup() { return *this; }

  // TaskHost.
  Scheduler& scheduler() override { return scheduler_; }
  PageSpace& pages() override { return pages_; }
  DeviceMapper& mapper() override { return *mapper_; }
  WatchedDevice& device(std::string_view name) override;
  PageCache& cache(std::string_view name) override;
  SwapSpace& add_swap(std::string_view device, std::uint64_t pages) override;
  void set_freezer(std::string_view device, Freezer* freezer) override;
  void report(Violation violation) override { judge_.report(std::move(violation)); }
  void request_power_cut() override { power_cut_requested_ = true; }
  void note_tables_changed() override { judge_.note_tables_changed(); }
  bool task_ended(std::string_view name) const override;
  Duration patience() const override { return plan_.machine.patience; }
  WaitQueue& task_ends() override { return *task_ends_; }
  std::string resolve_path(std::string_view path) const override;

 private:
  struct Stop final : TraceListener {
    explicit Stop(Scheduler& s) : scheduler(s) {}
    void on_event(const TraceEvent& event) override {
      if (event.id != at) return;
      reached = true;
      if (call != nullptr) call();
      scheduler.pause();
    }
    Scheduler& scheduler;
    TraceId at = 0;
    void (*call)() = nullptr;
    bool reached = false;
  };
  class Gate;  // in front of a disk: where fail_reads_of() bites
  struct CachedDevice;

  void build(std::vector<Image> images);
  void on_answer(const UserRequest& request, BlockStatus status) override;
  void on_mismatches(WatchedDevice& device, const std::vector<Mismatch>& wrong) override;
  BlockDevice* find_disk(std::string_view name) override;
  void need_frame() override;
  void print_context() override;
  std::string why_nothing_comes(bool more) const;
  void refresh_views() const;
  bool is_recovered() const;
  CachedDevice& cached(std::string_view name);
  TableOf plan_tables() const;
  TableOf first_tables() const;
  std::vector<DevicePlan> devices_to_boot() const;
  Reference* make_reference(std::string_view device);
  DmResult<> bring_up(const DevicePlan& device);

  const Plan& plan_;
  Workshop& workshop_;
  ChoiceSource& choices_;
  std::uint32_t life_;
  Trace trace_;
  Scheduler scheduler_;
  Stop stop_{scheduler_};
  PageSpace pages_;
  BioPool bios_;
  FailureContext* outer_context_;
  std::vector<std::unique_ptr<Disk>> disks_;   // in the plan's order
  std::vector<std::unique_ptr<Gate>> gates_;   // parallel to disks_
  std::vector<Image> first_media_;             // parallel to disks_: what this life began with
  PageSpace scratch_;                          // for contents that nobody in the world ever sees
  std::unique_ptr<DeviceMapper> mapper_;
  lvm1::Driver* lvm1_ = nullptr;  // in *mapper_
  Memory memory_;
  std::unique_ptr<Pdflush> pdflush_;
  std::vector<std::unique_ptr<WatchedDevice>> watched_;
  std::vector<std::unique_ptr<CachedDevice>> caches_;
  std::vector<std::unique_ptr<SwapSpace>> swaps_;
  std::vector<std::string> used_devices_;
  // Of this life, or of the first one: a life after a power cut has no users of its own.
  std::map<std::string, std::unique_ptr<Reference>, std::less<>> own_references_;
  const World* before_;
  std::unique_ptr<WaitQueue> task_ends_;
  std::vector<bool> tasks_ended_;
  std::size_t tasks_left_ = 0;
  std::size_t syncs_left_ = 0;  // of caches, when tasks are over
  bool power_cut_requested_ = false;
  bool boot_begun_ = false;
  bool boot_over_ = false;
  std::uint64_t steps_ = 0;
  // Of one copy of a watched device: pages of the device that may differ from what they were at first
  // boot, as of `seen`.
  struct ChangedPages {
    std::string device;
    std::size_t disk;  // in disks_
    Extent extent;     // of the copy
    Sector begin;      // of the copy on its disk
    bool destination;  // a clone's: not what the device held at first boot
    Image seen;
    std::vector<std::uint64_t> disk_pages;  // ascending
  };
  void update(ChangedPages& changed) const;
  bool is_changed(const ChangedPages& changed, std::uint64_t disk_page) const;
  void begin_with_destination(ChangedPages& changed) const;
  bool is_read_from(const ChangedPages& changed, std::uint64_t disk_page) const;
  void watch_clones();
  void add_device_pages(const ChangedPages& changed, std::vector<std::uint64_t>* pages) const;
  std::vector<ChangedPages>& changed_pages();

  std::vector<ChangedPages> changed_pages_;
  std::size_t changed_devices_ = 0;  // of used_devices_, already in changed_pages_; later lives: 1 when taken over
  std::vector<DevicePlan> group_devices_;   // of the plan's volume groups, as they were at first boot
  std::vector<std::string> group_names_;    // of every device that the groups may ever have
  std::unique_ptr<LvmRoom> lvm_room_;
  mutable std::uint64_t recovered_asked_ = ~std::uint64_t{0};  // sum of generations when last found out
  mutable bool recovered_ = false;
  mutable std::vector<DeviceView> views_;
  mutable std::vector<CloneDevice> clone_views_;
  mutable std::uint64_t views_generation_ = ~std::uint64_t{0};
  bool may_have_clones_ = false;
  Judge judge_;
};

}  // namespace dmsim
