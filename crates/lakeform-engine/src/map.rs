//! Maps and sets with a quick hash: their keys are nodes and addresses of one's own stack, not what a stranger sends.

use foldhash::fast::RandomState;

pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
pub(crate) type HashSet<K> = std::collections::HashSet<K, RandomState>;
