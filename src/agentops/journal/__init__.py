"""The journal: what this process has recorded, on disk, until a server has committed it.

Invariants
    1. When `Journal.append` returns, the record is in a file of this process (one `write`): SIGKILL cannot
       take it back. The system writes it to the platter when it sees fit, usually within 30 seconds: power
       loss can take those.
    2. A record leaves the journal in one of three ways: a server acknowledged it, it was kept aside under
       `rejected/`, or it was dropped. The last two are counted by reason in `losses.jsonl` and in
       `JournalStats.lost`.
    3. A cursor never passes a record that has not left in one of those ways. So delivery is at least once.
    4. A segment has one owner at a time: whoever holds the exclusive `flock` on it. Only the owner writes it,
       ships it, moves its cursor or deletes it. The lock dies with its owner, so a crash leaves a free
       segment: an orphan.
    5. Nothing here raises into the recorded program.

Folder `<home>/journal` (0700; its files are 0600); names sort by age
    <created ns>-<pid>-<random>.jsonl    a segment. Line 1 is the header, then one record a line.
    <the same>.jsonl.cursor              how many bytes of it are acknowledged, as 20 decimal digits.
    <the same>.jsonl.new                 a segment being born, renamed once it is locked and has its header.
    rejected/<segment>.jsonl             kept aside, 64 MiB at most: {"reason", "why", "at_ns", "record"}.
    losses.jsonl                         what was lost: {"at_ns", "pid", "reason", "records"} a line.
    losses-<the same four>-<random>.count   one such line, as a name, where there was no room for it.
    refused.keys                         fingerprints of keys that a server has refused (see `keys`).

Segment
    header  {"agentops_journal":1,"created_ns":N,"pid":N,"endpoint":"...","owner":"...","resource":{...}}
    record  {"spans":[{...}],"scope":{...}}  or  {"logRecords":[{...}],"scope":{...}}
    A resource, and a record, is a complete OTLP/JSON object (Resource, ScopeSpans, ScopeLogs), so lines
    joined by commas are the array inside a request body: nothing is parsed on the way out. A line that is
    not whole JSON (a torn write, a damaged disk) is kept aside.

Who may delete what
    A segment whose cursor has reached its end: its owner. A segment that has not been shipped: only the size
    limit (`journal_max_bytes`), after claiming it, oldest first, counted as `over_size_limit`. A cursor
    without a segment and a `.new` file that nobody holds: anyone. A kept-aside file: the 64 MiB limit, oldest
    first, and the user.

Forked children own nothing they inherited: they close it (never unlock it: the lock is shared with the
parent) and begin a segment of their own at their first record.

When the folder cannot be written, segments go to a private folder under the system's temporary folder, which
every process of the same home looks into too; when that fails, to a bounded memory. Each is said once, and
undone by itself.
"""

from agentops.journal.folder import FolderStats, fallback_folder, folder_stats, held, orphans
from agentops.journal.header import Header
from agentops.journal.keys import note_key, refused_keys
from agentops.journal.segment import Segment
from agentops.journal.writer import Journal, JournalStats, Mark

__all__ = [
    "FolderStats",
    "Header",
    "Journal",
    "JournalStats",
    "Mark",
    "Segment",
    "fallback_folder",
    "folder_stats",
    "held",
    "note_key",
    "orphans",
    "refused_keys",
]
