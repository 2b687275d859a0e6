//! Backends by name: which device a run uses is chosen when the program runs, among those compiled in.

use std::{fmt, str::FromStr};

use burn::tensor::Device;

/// A backend of burn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
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
    #[error("device '{found}': expected one of {}", names(&Backend::ALL))]
    Unknown {
        /// What was asked for.
        found: String,
    },
    /// The backend was not compiled in.
    #[error("device '{backend}' is not compiled in: build with `--features {backend}`; here are {}", names(&Backend::compiled()))]
    NotCompiled {
        /// The backend.
        backend: Backend,
    },
}

impl Backend {
    /// All backends.
    pub const ALL: [Self; 6] = [Self::Flex, Self::NdArray, Self::Wgpu, Self::Vulkan, Self::Metal, Self::Cuda];

    /// The backends compiled in, the default first.
    pub fn compiled() -> Vec<Self> {
        Self::ALL.into_iter().filter(|backend| backend.make().is_some()).collect()
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

    /// The backend's first device.
    ///
    /// # Errors
    /// [`DeviceError::NotCompiled`] if the backend is not in this build.
    pub fn device(self) -> Result<Device, DeviceError> {
        self.make().map(|make| make()).ok_or(DeviceError::NotCompiled { backend: self })
    }

    /// How to open the device, if the backend is compiled in.
    fn make(self) -> Option<fn() -> Device> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Some(Device::flex),
            #[cfg(feature = "ndarray")]
            #[allow(deprecated)] // by burn, which drops this backend in 0.23
            Self::NdArray => Some(Device::ndarray),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Some(|| Device::wgpu(Default::default())),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Some(|| Device::vulkan(Default::default())),
            #[cfg(feature = "metal")]
            Self::Metal => Some(|| Device::metal(Default::default())),
            #[cfg(feature = "cuda")]
            Self::Cuda => Some(|| Device::cuda(0usize)),
            #[allow(unreachable_patterns)]
            _ => None,
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let known = Self::ALL.into_iter().find(|backend| backend.name() == name);
        known.ok_or_else(|| DeviceError::Unknown { found: name.into() })
    }
}

fn names(backends: &[Backend]) -> String {
    backends.iter().map(|backend| backend.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_devices_or_say_what_is_missing() {
        for backend in Backend::ALL {
            assert_eq!(backend.name().parse(), Ok(backend));
        }
        let unknown = "gpu".parse::<Backend>().unwrap_err().to_string();
        assert_eq!(unknown, "device 'gpu': expected one of flex, ndarray, wgpu, vulkan, metal, cuda");
        #[cfg(not(feature = "metal"))]
        assert!(Backend::Metal.device().unwrap_err().to_string().contains("build with `--features metal`"));
        #[cfg(feature = "flex")]
        assert_eq!(Backend::Flex.device().unwrap(), Device::flex());
    }
}
