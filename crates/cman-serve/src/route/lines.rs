//! The lines of a body, as they arrive.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use http_body_util::BodyExt;
use tokio::{sync::watch, time::timeout};

use crate::problem::Problem;

/// A line of a body.
pub(super) struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// Its bytes, or why it cannot be read.
    pub content: Result<Vec<u8>, Problem>,
}

/// Cuts a body into lines. It holds one line and one part of the body at a time.
pub(super) struct Lines {
    body: Body,
    part: Bytes,
    line: Vec<u8>,
    /// Whether the line is longer than allowed. Its rest is skipped.
    is_long: bool,
    number: usize,
    has_ended: bool,
    most: usize,
    pause: Duration,
    stopping: watch::Receiver<bool>,
}

impl Lines {
    /// `most`: bytes of the longest line. `pause`: the longest time to wait for a part of the body.
    pub fn new(body: Body, most: usize, pause: Duration, stopping: watch::Receiver<bool>) -> Self {
        let (part, line) = (Bytes::new(), Vec::new());
        Self { body, part, line, is_long: false, number: 0, has_ended: false, most, pause, stopping }
    }

    /// The next line that is not blank. After a body that stops in the middle there is one last line, an error.
    pub async fn next(&mut self) -> Option<Line> {
        while !self.has_ended {
            if let Some(end) = self.part.iter().position(|&byte| byte == b'\n') {
                let part = self.part.split_to(end + 1);
                self.add(&part[..end]);
                if let Some(line) = self.complete() {
                    return Some(line);
                }
                continue;
            }
            let part = std::mem::take(&mut self.part);
            self.add(&part);
            match self.receive().await {
                Ok(Some(part)) => self.part = part,
                Ok(None) => {
                    self.has_ended = true;
                    return self.complete();
                }
                Err(problem) => {
                    self.has_ended = true;
                    self.number += 1;
                    return Some(Line { number: self.number, content: Err(problem) });
                }
            }
        }
        None
    }

    /// The next part of the body.
    async fn receive(&mut self) -> Result<Option<Bytes>, Problem> {
        let (body, pause) = (&mut self.body, self.pause);
        let mut next = async || loop {
            match timeout(pause, body.frame()).await {
                Err(_late) => return Err(Problem::slow_client(pause)),
                Ok(None) => return Ok(None),
                Ok(Some(Ok(frame))) => {
                    // Trailers are not lines.
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Ok(Some(Err(_))) => {
                    let detail = "the body ended before it was complete";
                    return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
                }
            }
        };
        let stop = self.stopping.wait_for(|&is_stopping| is_stopping);
        tokio::select! {
            biased;
            _ = stop => Err(Problem::stopping()),
            part = next() => part,
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.is_long |= self.line.len() + bytes.len() > self.most;
        if self.is_long {
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    /// Ends the line. Blank lines count, but are not returned.
    fn complete(&mut self) -> Option<Line> {
        let (line, is_long) = (std::mem::take(&mut self.line), std::mem::take(&mut self.is_long));
        if self.has_ended && line.is_empty() && !is_long {
            return None;
        }
        self.number += 1;
        let content = if is_long {
            let most = self.most;
            Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("expected a line of at most {most} bytes (--max-body)"),
            ))
        } else {
            Ok(line)
        };
        let is_blank = content.as_ref().is_ok_and(|line| line.trim_ascii().is_empty());
        (!is_blank).then_some(Line { number: self.number, content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    async fn lines(parts: Vec<&'static str>, most: usize) -> Vec<(usize, Result<String, u16>)> {
        let body = Body::from_stream(stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>)));
        let (_stop, stopping) = watch::channel(false);
        let mut lines = Lines::new(body, most, Duration::from_secs(5), stopping);
        let mut all = Vec::new();
        while let Some(Line { number, content }) = lines.next().await {
            let content = content.map(|line| String::from_utf8(line).unwrap());
            all.push((number, content.map_err(|problem| problem.status().as_u16())));
        }
        all
    }

    #[tokio::test]
    async fn lines_are_numbered_however_the_body_is_cut() {
        let expected = [(1, Ok("ab".into())), (3, Ok("cd".into())), (4, Err(413)), (5, Ok("e".into()))];
        for parts in [
            vec!["ab\n\ncd\nlong line\ne"],
            vec!["a", "b", "\n", "\nc", "d\nlong", " line", "\n", "e"],
            vec!["ab\n\ncd\nlong line\n", "e\n"],
        ] {
            assert_eq!(lines(parts, 4).await, expected);
        }
        assert_eq!(lines(vec![], 4).await, []);
        assert_eq!(lines(vec!["\n\n"], 4).await, []);
        assert_eq!(lines(vec!["too long"], 4).await, [(1, Err(413))]);
    }

    #[tokio::test]
    async fn a_body_that_stalls_or_a_service_that_stops_ends_with_an_error() {
        let stalled = || Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let (stop, stopping) = watch::channel(false);
        let mut lines = Lines::new(stalled(), 9, Duration::from_millis(10), stopping.clone());
        let status = |line: Option<Line>| line.unwrap().content.unwrap_err().status().as_u16();
        assert_eq!(status(lines.next().await), 408);
        assert!(lines.next().await.is_none());
        let mut lines = Lines::new(stalled(), 9, Duration::from_secs(60), stopping);
        stop.send_replace(true);
        assert_eq!(status(lines.next().await), 503);
    }
}
