#include "cli/campaign_store.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "cli/exit_codes.h"

namespace dmsim {
namespace {

constexpr const char* kSchema =
    "pragma journal_mode = wal;"
    "pragma synchronous = full;"
    "create table if not exists campaign(id integer primary key, identity text unique not null,"
    " next_seed integer not null, seconds real not null default 0, runs integer not null default 0,"
    " power_cuts integer not null default 0, crash_states integer not null default 0);"
    "create table if not exists run(campaign integer not null, seed integer not null,"
    " changed integer not null, states integer not null, fresh integer not null,"
    " signature text not null, primary key(campaign, seed)) without rowid;"
    "create table if not exists finding(campaign integer not null, signature text not null,"
    " sentence text not null, first_seed integer not null, count integer not null,"
    " crash text not null, plan text not null, minimised text not null, said text not null,"
    " primary key(campaign, signature)) without rowid;"
    "create table if not exists transition(id integer primary key, campaign integer not null,"
    " hash integer not null);"
    "create table if not exists kept(id integer primary key, campaign integer not null,"
    " draws text not null);";

// "plan.trouble:11:3", separated by blanks.
std::string draws_to_text(const std::vector<LabelledChoice>& draws) {
  std::string out;
  for (const LabelledChoice& draw : draws) {
    fmt::format_to(std::back_inserter(out), "{}{}:{}:{}", out.empty() ? "" : " ", draw.point,
                   draw.bound, draw.value);
  }
  return out;
}

std::vector<LabelledChoice> draws_from_text(std::string_view text) {
  std::vector<LabelledChoice> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t first = word.find(':');
    const std::size_t second = word.find(':', first + 1);
    CHECK(first != std::string_view::npos && second != std::string_view::npos, word);
    LabelledChoice draw;
    draw.point = word.substr(0, first);
    draw.who = "-";
    std::from_chars(word.data() + first + 1, word.data() + second, draw.bound);
    std::from_chars(word.data() + second + 1, word.data() + word.size(), draw.value);
    out.push_back(std::move(draw));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// What the system does to a file is no fault of ours: a full disk, somebody who holds it.
[[noreturn]] void give_up(sqlite3* db, const char* why) {
  std::fprintf(stderr, "%s: %s; what was saved before stays\n", sqlite3_db_filename(db, "main"), why);
  std::exit(kExitBadInput);
}

}  // namespace

// Parameters and columns are taken one after the other.
class CampaignStore::Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    CHECK(sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr) == SQLITE_OK, sqlite3_errmsg(db));
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& put(std::uint64_t value) { return put(static_cast<std::int64_t>(value)); }
  Statement& put(std::int64_t value) {
    CHECK(sqlite3_bind_int64(statement_, ++parameter_, value) == SQLITE_OK);
    return *this;
  }
  Statement& put(double value) {
    CHECK(sqlite3_bind_double(statement_, ++parameter_, value) == SQLITE_OK);
    return *this;
  }
  Statement& put(const std::string& text) {
    CHECK(sqlite3_bind_text(statement_, ++parameter_, text.data(), static_cast<int>(text.size()),
                            SQLITE_TRANSIENT) == SQLITE_OK);
    return *this;
  }
  // A row is there.
  bool step() {
    const int result = sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) give_up(db_, sqlite3_errmsg(db_));
    column_ = 0;
    return result == SQLITE_ROW;
  }
  void run() {
    CHECK(!step());
    sqlite3_reset(statement_);
    parameter_ = 0;
  }
  std::uint64_t number() {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column_++));
  }
  double real() { return sqlite3_column_double(statement_, column_++); }
  std::string text() {
    const int column = column_++;
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int parameter_ = 0;
  int column_ = 0;
};

CampaignStore::~CampaignStore() { sqlite3_close(db_); }

void CampaignStore::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) give_up(db_, sqlite3_errmsg(db_));
}

std::optional<std::string> CampaignStore::open(const std::string& path) {
  if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK ||
      sqlite3_busy_timeout(db_, 10'000) != SQLITE_OK ||
      sqlite3_exec(db_, kSchema, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return fmt::format("{}: {}", path, sqlite3_errmsg(db_));
  }
  return std::nullopt;
}

CampaignState CampaignStore::load(const std::string& identity, std::uint64_t first_seed) {
  Statement begin(db_, "insert or ignore into campaign(identity, next_seed) values(?, ?)");
  begin.put(identity).put(first_seed).run();
  Statement find(db_, "select id, next_seed, seconds, runs, power_cuts, crash_states from campaign"
                      " where identity = ?");
  CHECK(find.put(identity).step());
  CampaignState state;
  campaign_ = static_cast<std::int64_t>(find.number());
  state.next_seed = saved_next_seed_ = find.number();
  state.seconds = find.real();
  state.statistics.runs = find.number();
  state.statistics.power_cuts = find.number();
  state.statistics.crash_states = find.number();
  Statement findings(db_, "select signature, sentence, first_seed, count, crash, plan, minimised, said"
                          " from finding where campaign = ? order by first_seed, signature");
  findings.put(campaign_);
  while (findings.step()) {
    Finding finding;
    finding.signature = findings.text();
    finding.sentence = findings.text();
    finding.first_seed = findings.number();
    finding.count = findings.number();
    finding.crash_text = findings.text();
    finding.plan_text = findings.text();
    finding.minimised_text = findings.text();
    finding.said = findings.text();
    state.findings.push_back(std::move(finding));
  }
  Statement transitions(db_, "select hash from transition where campaign = ? order by id");
  transitions.put(campaign_);
  while (transitions.step()) state.transitions.push_back(transitions.number());
  Statement kept(db_, "select draws from kept where campaign = ? order by id");
  kept.put(campaign_);
  while (kept.step()) state.kept.push_back(draws_from_text(kept.text()));
  return state;
}

void CampaignStore::save(const CampaignState& state, const Round& round) {
  execute("begin immediate");
  {
    Statement saved(db_, "select next_seed from campaign where id = ?");
    CHECK(saved.put(campaign_).step());
    if (saved.number() != saved_next_seed_) give_up(db_, "another dmsim fuzz goes on with the same campaign");
  }
  saved_next_seed_ = state.next_seed;
  Statement run(db_, "insert into run values(?, ?, ?, ?, ?, ?)");
  for (const RunRow& row : round.runs) {
    run.put(campaign_).put(row.seed).put(std::uint64_t{row.changed}).put(row.states).put(row.fresh)
        .put(row.signature).run();
  }
  Statement transition(db_, "insert into transition(campaign, hash) values(?, ?)");
  for (const std::uint64_t hash : round.transitions) transition.put(campaign_).put(hash).run();
  Statement kept(db_, "insert into kept(campaign, draws) values(?, ?)");
  for (const auto& draws : round.kept) kept.put(campaign_).put(draws_to_text(draws)).run();
  Statement finding(db_, "insert or replace into finding values(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const std::size_t index : round.changed_findings) {
    const Finding& each = state.findings[index];
    finding.put(campaign_).put(each.signature).put(each.sentence).put(each.first_seed)
        .put(each.count).put(each.crash_text).put(each.plan_text).put(each.minimised_text)
        .put(each.said).run();
  }
  Statement campaign(db_, "update campaign set next_seed = ?, seconds = ?, runs = ?, power_cuts = ?,"
                          " crash_states = ? where id = ?");
  campaign.put(state.next_seed).put(state.seconds).put(state.statistics.runs)
      .put(state.statistics.power_cuts).put(state.statistics.crash_states).put(campaign_).run();
  execute("commit");
}

}  // namespace dmsim
