//! Backends by name: which device a run uses is chosen when the program runs, among those compiled in.

use std::{fmt, str::FromStr};

use burn::tensor::Device;
#[cfg(feature = "cuda")]
use burn::tensor::DeviceType;

#[cfg(feature = "wgpu")]
mod gpu;

#[cfg(feature = "wgpu")]
use gpu::WgpuBackend;

/// A backend of burn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// burn's pure-Rust CPU backend.
    Flex,
    /// The older CPU backend on the ndarray crate (deprecated by burn in 0.22).
    NdArray,
    /// A GPU through wgpu, by whichever graphics interface it finds.
    Wgpu,
    /// A GPU through Vulkan.
    Vulkan,
    /// A GPU through Metal.
    Metal,
    /// An NVIDIA GPU through CUDA.
    Cuda,
}

/// A device that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No backend has this name.
    #[error("device '{found}': expected one of {}", names(&DeviceKind::ALL))]
    Unknown {
        /// What was asked for.
        found: String,
    },
    /// The backend was not compiled in.
    #[error("device '{kind}' is not compiled in: build with `--features {kind}`; here are {}", names(&DeviceKind::compiled()))]
    NotCompiled {
        /// The backend.
        kind: DeviceKind,
    },
    /// The machine has no device for this backend, or the device does not start.
    #[error("device '{kind}' cannot be opened: {reason}; found: {found}")]
    Unavailable {
        /// The backend.
        kind: DeviceKind,
        /// What went wrong.
        reason: String,
        /// The devices that there are, of any kind.
        found: String,
    },
}

impl DeviceKind {
    /// All backends.
    pub const ALL: [Self; 6] = [Self::Flex, Self::NdArray, Self::Wgpu, Self::Vulkan, Self::Metal, Self::Cuda];

    /// The backends compiled in, the default first.
    pub fn compiled() -> Vec<Self> {
        Self::ALL.into_iter().filter(|backend| backend.is_compiled()).collect()
    }

    /// Whether the backend is compiled in.
    pub const fn is_compiled(self) -> bool {
        match self {
            Self::Flex => cfg!(feature = "flex"),
            Self::NdArray => cfg!(feature = "ndarray"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Cuda => cfg!(feature = "cuda"),
        }
    }

    /// Whether the backend runs on the CPU and has the fused kernels.
    pub const fn is_cpu(self) -> bool {
        matches!(self, Self::Flex | Self::NdArray)
    }

    /// The name, which is also that of the cargo feature.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::NdArray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
        }
    }

    /// The backend's first device, ready to compute.
    ///
    /// # Errors
    /// [`DeviceError::NotCompiled`] if the backend is not in this build, [`DeviceError::Unavailable`] if the machine
    /// has no device for it.
    pub fn device(self) -> Result<Device, DeviceError> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Ok(Device::flex()),
            #[cfg(feature = "ndarray")]
            #[allow(deprecated)] // by burn, which drops this backend in 0.23
            Self::NdArray => Ok(Device::ndarray()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => gpu::open(self, WgpuBackend::Auto),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => gpu::open(self, WgpuBackend::Vulkan),
            #[cfg(feature = "metal")]
            Self::Metal => gpu::open(self, WgpuBackend::Metal),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::enumerate(DeviceType::Cuda).into_iter().next().ok_or(DeviceError::Unavailable {
                kind: self,
                reason: "no NVIDIA driver, or no GPU that it knows".into(),
                found: "nothing".into(),
            }),
            #[allow(unreachable_patterns)]
            _ => Err(DeviceError::NotCompiled { kind: self }),
        }
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DeviceKind {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let known = Self::ALL.into_iter().find(|backend| backend.name() == name);
        known.ok_or_else(|| DeviceError::Unknown { found: name.into() })
    }
}

fn names(backends: &[DeviceKind]) -> String {
    backends.iter().map(|backend| backend.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_devices_or_say_what_is_missing() {
        for backend in DeviceKind::ALL {
            assert_eq!(backend.name().parse(), Ok(backend));
        }
        let unknown = "gpu".parse::<DeviceKind>().unwrap_err().to_string();
        assert_eq!(unknown, "device 'gpu': expected one of flex, ndarray, wgpu, vulkan, metal, cuda");
        #[cfg(not(feature = "metal"))]
        assert!(DeviceKind::Metal.device().unwrap_err().to_string().contains("build with `--features metal`"));
        #[cfg(feature = "flex")]
        assert_eq!(DeviceKind::Flex.device().unwrap(), Device::flex());
    }
}
