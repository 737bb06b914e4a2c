//! Serves a disk to one machine, over the protocol of network block devices (NBD: the fixed
//! newstyle handshake, simple replies, no extension).

#![expect(clippy::big_endian_bytes, reason = "the byte order of the protocol")]

use std::io::{self, Read, Write};

use super::watch::Watch;

/// Serves the disk of `watch` until the machine is gone or its power is.
///
/// # Errors
///
/// A machine that does not speak the protocol. One that goes away is none.
pub fn serve(stream: &mut (impl Read + Write), watch: &Watch) -> io::Result<()> {
    stream.write_all(&[&MAGIC.to_be_bytes()[..], &OPTION.to_be_bytes()].concat())?;
    stream.write_all(&(FIXED_NEWSTYLE | NO_ZEROES).to_be_bytes())?;
    u32_of(stream)?;
    if !agree(stream, watch.disk_bytes())? {
        return Ok(());
    }
    loop {
        match request(stream, watch) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) if is_end(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

/// Answers options until one of them begins the transmission; false if the client wants none.
fn agree(stream: &mut (impl Read + Write), bytes: u64) -> io::Result<bool> {
    loop {
        if u64_of(stream)? != OPTION {
            return Err(io::Error::other("that is no option of a network block device"));
        }
        let (option, len) = (u32_of(stream)?, u32_of(stream)?);
        bytes_of(stream, len)?;
        let export = [&bytes.to_be_bytes()[..], &EXPORT_FLAGS.to_be_bytes()].concat();
        match option {
            OPTION_EXPORT_NAME => {
                stream.write_all(&export)?;
                return Ok(true);
            }
            OPTION_ABORT => {
                option_reply(stream, option, REPLY_ACK, &[])?;
                return Ok(false);
            }
            OPTION_INFO | OPTION_GO => {
                let information = [&INFO_EXPORT.to_be_bytes()[..], &export].concat();
                option_reply(stream, option, REPLY_INFO, &information)?;
                option_reply(stream, option, REPLY_ACK, &[])?;
                if option == OPTION_GO {
                    return Ok(true);
                }
            }
            _ => option_reply(stream, option, REPLY_UNSUPPORTED, &[])?,
        }
    }
}

fn option_reply(
    stream: &mut impl Write,
    option: u32,
    reply: u32,
    content: &[u8],
) -> io::Result<()> {
    let head = [option, reply, content.len() as u32].map(u32::to_be_bytes);
    stream.write_all(&[&OPTION_REPLY.to_be_bytes()[..], head.as_flattened(), content].concat())
}

/// Answers one request; false if it was the last.
fn request(stream: &mut (impl Read + Write), watch: &Watch) -> io::Result<bool> {
    if u32_of(stream)? != REQUEST {
        return Err(io::Error::other("that is no request of a network block device"));
    }
    let command = u32_of(stream)? & 0xffff;
    let (handle, offset, len) = (u64_of(stream)?, u64_of(stream)?, u32_of(stream)?);
    let end = offset.saturating_add(len.into());
    let mut content = Vec::new();
    let mut error: u32 = 0;
    // The machine stays without an answer when power is lost: it has no time to look at one.
    match command {
        READ if end <= watch.disk_bytes() && len <= LEN_MAX => {
            content.resize(len as usize, 0);
            watch.read(offset, &mut content);
        }
        WRITE => {
            let bytes = bytes_of(stream, len)?;
            if end > watch.disk_bytes() {
                error = ENOSPC;
            } else if !watch.write(offset, &bytes) {
                return Ok(false);
            }
        }
        FLUSH => {
            if !watch.flush() {
                return Ok(false);
            }
        }
        DISCONNECT => return Ok(false),
        _ => error = EINVAL,
    }
    let head = [SIMPLE_REPLY, error].map(u32::to_be_bytes);
    stream.write_all(&[head.as_flattened(), &handle.to_be_bytes(), &content].concat())?;
    Ok(true)
}

fn u32_of(stream: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes))
}

fn u64_of(stream: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    stream.read_exact(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
}

fn bytes_of(stream: &mut impl Read, len: u32) -> io::Result<Vec<u8>> {
    if len > LEN_MAX {
        return Err(io::Error::other(format!("{len} bytes are more than a request may have")));
    }
    let mut bytes = vec![0; len as usize];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// What qemu keeps to where the server names no limit.
const LEN_MAX: u32 = 32 << 20;

const MAGIC: u64 = 0x4e42_444d_4147_4943;
const OPTION: u64 = 0x4948_4156_454f_5054;
const OPTION_REPLY: u64 = 0x0003_e889_0455_65a9;
const FIXED_NEWSTYLE: u16 = 1;
const NO_ZEROES: u16 = 2;
const OPTION_EXPORT_NAME: u32 = 1;
const OPTION_ABORT: u32 = 2;
const OPTION_INFO: u32 = 6;
const OPTION_GO: u32 = 7;
const REPLY_ACK: u32 = 1;
const REPLY_INFO: u32 = 3;
const REPLY_UNSUPPORTED: u32 = 0x8000_0001;
const INFO_EXPORT: u16 = 0;
/// It has flags, and it has a cache that can be flushed. Nothing is written past the cache.
const EXPORT_FLAGS: u16 = 1 | 4;
const REQUEST: u32 = 0x2560_9513;
const SIMPLE_REPLY: u32 = 0x6744_6698;
const READ: u32 = 0;
const WRITE: u32 = 1;
const DISCONNECT: u32 = 2;
const FLUSH: u32 = 3;
const EINVAL: u32 = 22;
const ENOSPC: u32 = 28;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::Rng;
    use crate::disks::Blocks;
    use crate::machines::disk::{Disk, Loss};
    use crate::machines::watch::Moment;

    /// What a client says all at once, and what it is answered.
    struct Client {
        says: Cursor<Vec<u8>>,
        hears: Vec<u8>,
    }

    impl Read for Client {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            self.says.read(bytes)
        }
    }

    impl Write for Client {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.hears.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn hello() -> Vec<u8> {
        let structured = [8, 0].map(u32::to_be_bytes);
        let go = [OPTION_GO, 6].map(u32::to_be_bytes);
        let mut says = 3_u32.to_be_bytes().to_vec();
        says.extend([&OPTION.to_be_bytes()[..], structured.as_flattened()].concat());
        says.extend([&OPTION.to_be_bytes()[..], go.as_flattened(), &[0; 6]].concat());
        says
    }

    fn ask(command: u32, handle: u64, offset: u64, len: u32) -> Vec<u8> {
        let head = [REQUEST, command].map(u32::to_be_bytes);
        let place = [handle, offset].map(u64::to_be_bytes);
        [head.as_flattened(), place.as_flattened(), &len.to_be_bytes()].concat()
    }

    fn talk(says: Vec<u8>, moment: Moment) -> (io::Result<()>, Vec<u8>, Disk) {
        let watch = Watch::new(Disk::new(1 << 16, Blocks::default()), moment);
        let mut client = Client { says: Cursor::new(says), hears: Vec::new() };
        let ended = serve(&mut client, &watch);
        (ended, client.hears, watch.take_disk())
    }

    /// The answers behind the handshake: 18 bytes of greeting, a refused option, an export.
    const GREETING: usize = 18 + 20 + 32 + 20;

    #[test]
    fn a_client_reads_what_it_wrote_and_flushed() {
        let mut says = hello();
        says.extend([ask(WRITE, 7, 4096, 3), b"abc".to_vec()].concat());
        says.extend(
            [ask(FLUSH, 8, 0, 0), ask(READ, 9, 4095, 5), ask(DISCONNECT, 0, 0, 0)].concat(),
        );
        let (ended, hears, mut disk) = talk(says, Moment::Never);
        assert!(ended.is_ok());
        let answers = &hears[GREETING..];
        let handles = [answers[15], answers[31], answers[47]];
        assert_eq!((handles, &answers[48..]), ([7, 8, 9], &b"\0abc\0"[..]));
        disk.cut(Loss::Everything, &mut Rng::new(0));
        let mut bytes = [0; 3];
        disk.read(4096, &mut bytes);
        assert_eq!(&bytes, b"abc");
    }

    #[test]
    fn nothing_is_answered_or_written_once_power_is_lost() {
        let mut says = hello();
        for handle in 1..=3 {
            says.extend([ask(WRITE, handle, handle * 4096, 1), b"x".to_vec()].concat());
        }
        let (ended, hears, disk) = talk(says, Moment::Request(2));
        assert!(ended.is_ok());
        assert_eq!(hears.len() - GREETING, 16, "the second write has no answer");
        let there = |block: u64| {
            let mut byte = [0];
            disk.read(block * 4096, &mut byte);
            byte[0] != 0
        };
        assert_eq!((there(1), there(2), there(3)), (true, true, false));
    }

    #[test]
    fn requests_outside_the_disk_are_errors_and_nonsense_ends_the_talk() {
        let mut says = hello();
        says.extend([ask(WRITE, 1, 1 << 16, 1), b"x".to_vec(), ask(READ, 2, 65_535, 2)].concat());
        says.extend([0; 28]);
        let (ended, hears, _) = talk(says, Moment::Never);
        assert!(ended.is_err());
        let answers = &hears[GREETING..];
        assert_eq!((answers[7], answers[23], answers.len()), (28, 22, 32));
    }
}
