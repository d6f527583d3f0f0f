//! Separate values for the two sides of a lane.

/// One value for the requests in front, and one for those behind them.
#[derive(Debug, Default)]
pub(super) struct Sides<T> {
    front: T,
    behind: T,
}

impl<T> Sides<T> {
    pub(super) fn of(&self, is_behind: bool) -> &T {
        if is_behind { &self.behind } else { &self.front }
    }

    pub(super) fn of_mut(&mut self, is_behind: bool) -> &mut T {
        if is_behind { &mut self.behind } else { &mut self.front }
    }
}
