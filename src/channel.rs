//! The bounded queue between the program and the sinks: items and bytes are limited, drops are counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{bounded, unbounded, Receiver, RecvTimeoutError, Select, Sender};

/// Why an item was not queued. Either way the item is gone and counted as dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The queue holds as many items or bytes as it may; or the item alone is larger than the byte limit.
    Full,
    /// The channel is closed.
    Closed,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the queue is full: receive faster, lower the rate of the breakpoints, or give the queue more room",
            Self::Closed => "the queue is closed: nothing can be sent any more",
        })
    }
}

impl std::error::Error for SendError {}

/// What a consumer got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received<T> {
    /// The oldest item.
    Item(T),
    /// Nothing came in time.
    Timeout,
    /// The channel is closed and everything that was queued has been received.
    Closed,
}

/// A look at the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelStats {
    /// Items that wait.
    pub queued: u64,
    /// Their bytes.
    pub queued_bytes: u64,
    /// Items that were ever queued.
    pub sent: u64,
    /// Items that were refused, because the channel was full or closed.
    pub dropped: u64,
}

/// A queue for many producers that never waits for its consumers.
///
/// A producer reserves its place (one item and its bytes) in a single word before it queues the item, and a consumer
/// gives the place back when it has received the item. So both limits are exact at every moment, whoever races; and a
/// closed channel is known to be drained when that word says that nothing is reserved, even if a producer was interrupted
/// between reserving and queueing.
#[derive(Debug)]
pub struct Channel<T> {
    max_items: u64,
    max_bytes: u64,
    occupancy: AtomicU64,
    sent: AtomicU64,
    dropped: AtomicU64,
    sender: Sender<(T, u64)>,
    receiver: Receiver<(T, u64)>,
    /// Carries nothing: dropping its only sender at close wakes every waiting consumer.
    closing: Receiver<()>,
    closing_sender: Mutex<Option<Sender<()>>>,
}

/// The occupancy word: a closed bit, 23 bits of items, 40 bits of bytes.
mod word {
    pub const CLOSED: u64 = 1 << 63;
    pub const ITEM: u64 = 1 << 40;
    pub const MAX_ITEMS: u64 = (1 << 23) - 1;
    pub const MAX_BYTES: u64 = ITEM - 1;

    pub fn items(word: u64) -> u64 {
        (word & !CLOSED) / ITEM
    }

    pub fn bytes(word: u64) -> u64 {
        word & MAX_BYTES
    }
}

/// How long a consumer waits for a producer that has reserved its place but not yet queued its item: producers never
/// wait in between, so only one that the system has put aside takes that long.
const STRAGGLER_WAIT: Duration = Duration::from_millis(1);

/// Up to so many items, slots are allocated when the channel is made: 64 KiB each thousand.
const ALLOCATED_AT_ONCE: u64 = 4096;

impl<T> Channel<T> {
    /// A channel that holds at most so many items and bytes. The limits themselves are limited, to 8 million items and
    /// a terabyte; 0 items are taken as 1, since a queue without a place could never deliver anything.
    #[must_use]
    pub fn new(max_items: usize, max_bytes: usize) -> Self {
        let max_items = (max_items as u64).clamp(1, word::MAX_ITEMS);
        // The bounded kind allocates all of its slots at once, the other as items come; the word bounds either.
        let (sender, receiver) =
            if max_items <= ALLOCATED_AT_ONCE { bounded(max_items as usize) } else { unbounded() };
        let (closing_sender, closing) = bounded(0);
        Self {
            max_items,
            max_bytes: (max_bytes as u64).min(word::MAX_BYTES),
            occupancy: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            sender,
            receiver,
            closing,
            closing_sender: Mutex::new(Some(closing_sender)),
        }
    }

    /// Queues an item that counts as so many bytes. Never waits. `accepted` is called when it is certain that the item will be
    /// queued and no consumer has it yet: who receives an item finds it counted.
    ///
    /// # Errors
    /// The channel is full or closed; the item is dropped and counted.
    pub fn try_send(&self, item: T, bytes: usize, accepted: impl FnOnce()) -> Result<(), SendError> {
        let bytes = bytes as u64;
        if let Err(refused) = self.reserve(bytes) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return Err(refused);
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        accepted();
        // It can't fail: the receiver lives as long as the sender, and every reserved place has a slot, because a slot is
        // emptied before its place is given back.
        let queued = self.sender.try_send((item, bytes));
        debug_assert!(queued.is_ok(), "a reserved place has a slot");
        Ok(())
    }

    /// Receives the oldest item, waiting up to `timeout` for one; `None` waits until an item comes or the channel is
    /// closed. Any number of consumers may wait; each item goes to one of them.
    pub fn receive(&self, timeout: Option<Duration>) -> Received<T> {
        // A timeout beyond the clock's range is as good as none.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            if let Ok(queued) = self.receiver.try_recv() {
                return self.deliver(queued);
            }
            let occupancy = self.occupancy.load(Ordering::Acquire);
            if occupancy & word::CLOSED == 0 {
                if !self.wait(deadline) {
                    return Received::Timeout;
                }
            } else if word::items(occupancy) == 0 {
                return Received::Closed;
            } else {
                let until = Instant::now() + STRAGGLER_WAIT;
                match self.receiver.recv_deadline(deadline.map_or(until, |deadline| deadline.min(until))) {
                    Ok(queued) => return self.deliver(queued),
                    Err(RecvTimeoutError::Timeout)
                        if deadline.is_some_and(|deadline| Instant::now() >= deadline) =>
                    {
                        return Received::Timeout;
                    }
                    Err(_) => {}
                }
            }
        }
    }

    /// Closes the channel: nothing is queued any more, waiting consumers get what is queued and then
    /// [`Received::Closed`]. Closing twice is the same as once.
    pub fn close(&self) {
        self.occupancy.fetch_or(word::CLOSED, Ordering::AcqRel);
        drop(self.closing_sender.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Whether the channel is closed (it may still hold items).
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.occupancy.load(Ordering::Acquire) & word::CLOSED != 0
    }

    /// The counters. `queued` and `queued_bytes` belong together; `sent` and `dropped` may be a moment younger.
    #[must_use]
    pub fn stats(&self) -> ChannelStats {
        let occupancy = self.occupancy.load(Ordering::Acquire);
        ChannelStats {
            queued: word::items(occupancy),
            queued_bytes: word::bytes(occupancy),
            sent: self.sent.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }

    fn reserve(&self, bytes: u64) -> Result<(), SendError> {
        let refused = self.occupancy.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
            let open = word & word::CLOSED == 0;
            let room = word::items(word) < self.max_items && bytes <= self.max_bytes - word::bytes(word);
            (open && room).then(|| word + word::ITEM + bytes)
        });
        match refused {
            Ok(_) => Ok(()),
            Err(word) if word & word::CLOSED != 0 => Err(SendError::Closed),
            Err(_) => Err(SendError::Full),
        }
    }

    fn release(&self, bytes: u64) {
        self.occupancy.fetch_sub(word::ITEM + bytes, Ordering::AcqRel);
    }

    fn deliver(&self, (item, bytes): (T, u64)) -> Received<T> {
        self.release(bytes);
        Received::Item(item)
    }

    /// Waits until there may be something to receive or the channel closes; false when the deadline passed.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut select = Select::new();
        select.recv(&self.receiver);
        select.recv(&self.closing);
        match deadline {
            Some(deadline) => select.ready_deadline(deadline).is_ok(),
            None => {
                select.ready();
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    const NOW: Option<Duration> = Some(Duration::ZERO);

    fn send<T>(channel: &Channel<T>, item: T, bytes: usize) -> Result<(), SendError> {
        channel.try_send(item, bytes, || {})
    }

    #[test]
    fn items_come_in_the_order_in_which_they_were_sent() {
        let channel = Channel::new(10, 100);
        for number in 0..3 {
            send(&channel, number, 1).unwrap();
        }
        for number in 0..3 {
            assert_eq!(channel.receive(NOW), Received::Item(number));
        }
        assert_eq!(channel.receive(NOW), Received::Timeout);
    }

    #[test]
    fn a_full_channel_drops_and_counts() {
        let channel = Channel::new(2, 100);
        assert_eq!(send(&channel, 'a', 1), Ok(()));
        assert_eq!(send(&channel, 'b', 1), Ok(()));
        assert_eq!(send(&channel, 'c', 1), Err(SendError::Full));
        let expected = ChannelStats { queued: 2, queued_bytes: 2, sent: 2, dropped: 1 };
        assert_eq!(channel.stats(), expected);
        assert_eq!(channel.receive(NOW), Received::Item('a'));
        assert_eq!(send(&channel, 'd', 1), Ok(()));
    }

    #[test]
    fn the_byte_limit_is_exact() {
        let channel = Channel::new(10, 100);
        assert_eq!(send(&channel, (), 60), Ok(()));
        assert_eq!(send(&channel, (), 41), Err(SendError::Full));
        assert_eq!(send(&channel, (), 40), Ok(()));
        assert_eq!(send(&channel, (), 1), Err(SendError::Full));
        assert_eq!(send(&channel, (), 0), Ok(()));
        assert_eq!(channel.stats().queued_bytes, 100);
        assert_eq!(channel.receive(NOW), Received::Item(()));
        assert_eq!(channel.stats().queued_bytes, 40);
    }

    #[test]
    fn an_item_larger_than_the_channel_is_full_not_a_crash() {
        let channel = Channel::new(10, 100);
        assert_eq!(send(&channel, (), 101), Err(SendError::Full));
        assert_eq!(send(&channel, (), usize::MAX), Err(SendError::Full));
        assert_eq!(channel.stats().dropped, 2);
    }

    #[test]
    fn limits_beyond_the_word_are_brought_down_and_no_items_is_one() {
        let channel = Channel::new(0, usize::MAX);
        assert_eq!(send(&channel, (), 1 << 39), Ok(()));
        assert_eq!(send(&channel, (), 0), Err(SendError::Full));
    }

    #[test]
    fn queued_items_still_come_after_close_and_then_closed() {
        let channel = Channel::new(10, 100);
        send(&channel, 1, 1).unwrap();
        channel.close();
        channel.close();
        assert!(channel.is_closed());
        assert_eq!(send(&channel, 2, 1), Err(SendError::Closed));
        assert_eq!(channel.receive(None), Received::Item(1));
        assert_eq!(channel.receive(None), Received::Closed);
        assert_eq!(channel.receive(NOW), Received::Closed);
        assert_eq!(channel.stats(), ChannelStats { queued: 0, queued_bytes: 0, sent: 1, dropped: 1 });
    }

    #[test]
    fn a_channel_for_millions_takes_its_memory_as_items_come_and_keeps_its_limits() {
        let channel = Channel::new(usize::MAX, 10);
        for _ in 0..10 {
            send(&channel, [0u8; 4096], 1).unwrap();
        }
        assert_eq!(send(&channel, [0u8; 4096], 1), Err(SendError::Full));
        channel.close();
        assert!((0..10).all(|_| matches!(channel.receive(None), Received::Item(_))));
        assert_eq!(channel.receive(None), Received::Closed);
    }

    #[test]
    fn what_is_received_was_counted_before() {
        let (channel, counted) = (Channel::new(4, 100), AtomicU64::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut received = 0;
                while let Received::Item(()) = channel.receive(None) {
                    received += 1;
                    assert!(counted.load(Ordering::SeqCst) >= received);
                }
            });
            for _ in 0..20_000 {
                let _ = channel.try_send((), 1, || {
                    counted.fetch_add(1, Ordering::SeqCst);
                });
            }
            channel.close();
        });
        assert_eq!(counted.into_inner(), channel.stats().sent);
    }

    #[test]
    fn close_wakes_all_consumers() {
        let channel = Channel::<u8>::new(10, 100);
        thread::scope(|scope| {
            let consumers: Vec<_> = (0..3).map(|_| scope.spawn(|| channel.receive(None))).collect();
            thread::sleep(Duration::from_millis(20));
            channel.close();
            for consumer in consumers {
                assert_eq!(consumer.join().unwrap(), Received::Closed);
            }
        });
    }

    #[test]
    fn a_send_wakes_a_waiting_consumer() {
        let channel = Channel::new(10, 100);
        thread::scope(|scope| {
            let consumer = scope.spawn(|| channel.receive(None));
            thread::sleep(Duration::from_millis(20));
            send(&channel, 7, 1).unwrap();
            assert_eq!(consumer.join().unwrap(), Received::Item(7));
        });
    }

    #[test]
    fn a_timeout_is_waited_for_and_an_endless_one_does_not_overflow() {
        let channel = Channel::new(10, 100);
        let start = Instant::now();
        assert_eq!(channel.receive(Some(Duration::from_millis(20))), Received::Timeout);
        assert!(start.elapsed() >= Duration::from_millis(20));
        send(&channel, 1, 1).unwrap();
        assert_eq!(channel.receive(Some(Duration::MAX)), Received::Item(1));
    }

    #[test]
    fn a_full_channel_never_makes_its_producer_wait() {
        let channel = Channel::new(1, 100);
        send(&channel, 0, 1).unwrap();
        let start = Instant::now();
        assert!((0..100_000).all(|_| send(&channel, 0, 1) == Err(SendError::Full)));
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }

    #[test]
    fn under_threads_every_item_is_received_or_counted_as_dropped() {
        const PRODUCERS: u64 = 4;
        const ITEMS: u64 = 20_000;
        let channel = Channel::new(64, 640);
        let over = AtomicBool::new(false);
        let (accepted, received) = thread::scope(|scope| {
            let producers: Vec<_> = (0..PRODUCERS)
                .map(|_| {
                    scope.spawn(|| (0..ITEMS).filter(|item| send(&channel, *item, 11).is_ok()).count() as u64)
                })
                .collect();
            let consumers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let mut received = 0u64;
                        while let Received::Item(_) = channel.receive(None) {
                            received += 1;
                            let stats = channel.stats();
                            over.fetch_or(stats.queued_bytes > 640 || stats.queued > 58, Ordering::Relaxed);
                        }
                        received
                    })
                })
                .collect();
            let accepted: u64 = producers.into_iter().map(|producer| producer.join().unwrap()).sum();
            channel.close();
            let received: u64 = consumers.into_iter().map(|consumer| consumer.join().unwrap()).sum();
            (accepted, received)
        });
        assert_eq!(received, accepted);
        assert!(!over.into_inner(), "a limit was exceeded");
        let stats = channel.stats();
        assert_eq!((stats.queued, stats.queued_bytes), (0, 0));
        assert_eq!((stats.sent, stats.sent + stats.dropped), (accepted, PRODUCERS * ITEMS));
    }

    #[test]
    fn close_during_sends_loses_nothing_that_was_accepted() {
        for _ in 0..200 {
            let channel = Channel::new(8, 100);
            thread::scope(|scope| {
                let producer =
                    scope.spawn(|| (0..100).filter(|item| send(&channel, *item, 1).is_ok()).count());
                let consumer = scope.spawn(|| {
                    let mut received = 0;
                    while let Received::Item(_) = channel.receive(None) {
                        received += 1;
                    }
                    received
                });
                channel.close();
                assert_eq!(producer.join().unwrap(), consumer.join().unwrap());
            });
        }
    }
}
