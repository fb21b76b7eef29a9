//! The bounded queue between the program and the sinks: items and bytes are limited, drops are counted.
