//! One hit rule a file: hit condition, number of hits, rate, expiry, thread. Time is always passed in.
