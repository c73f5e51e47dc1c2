// The shrink passes: each one function in a file of its name. A pass proposes until its proposals find
// nothing more, or the shrink is over; it need not remember anything, since all passes run again.
#pragma once

#include "crash-replay/minimise/shrink.h"

namespace dmsim::shrink_pass {

// The plan.
void drop_tasks(Shrink& shrink);        // and their names in wait-task steps
void drop_faults(Shrink& shrink);
void drop_devices(Shrink& shrink);      // mapped devices, disks, legs beyond two
void drop_steps(Shrink& shrink);        // of administrators
void shrink_devices(Shrink& shrink);    // lengths and region sizes in tables, options of logs
void shrink_disks(Shrink& shrink);
void shrink_memory(Shrink& shrink);
void plainer_tasks(Shrink& shrink);     // a file system's task by stores to the page that went wrong
void drop_rounds(Shrink& shrink);       // of tasks that do something over and over
void shrink_areas(Shrink& shrink);      // where tasks work
void shorten_waits(Shrink& shrink);     // starts, pauses, intervals
void explicit_scripts(Shrink& shrink);  // what a task did, word by word, in place of the task
void script_words(Shrink& shrink);      // fewer words in scripts
void defaults_back(Shrink& shrink);     // options that make no difference
void drop_checks(Shrink& shrink);       // oracles that this is not about

// The choices.
void earlier_cut(Shrink& shrink);
void fewer_survivors(Shrink& shrink);
void plain_labels(Shrink& shrink);      // to 0: all, those of one label
void zero_choices(Shrink& shrink);      // the same, and runs of them, and single ones
void delete_choices(Shrink& shrink);    // and let later ones move up
void halve_choices(Shrink& shrink);     // each as close to 0 as it goes

}  // namespace dmsim::shrink_pass
