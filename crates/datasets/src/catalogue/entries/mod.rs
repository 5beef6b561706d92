//! The entries themselves.

mod built_in;
mod images;
mod vectors;

use super::entry::Entry;
use crate::examples::Shape;

/// Every dataset, in the order in which lists show them: that of the names.
pub static ENTRIES: [Entry; 52] = [
    images::FASHION_MNIST,
    images::MNIST,
    images::KMNIST,
    images::EMNIST_BYCLASS,
    images::EMNIST_BYMERGE,
    images::EMNIST_BALANCED,
    images::EMNIST_LETTERS,
    images::EMNIST_DIGITS,
    images::EMNIST_MNIST,
    images::OMNIGLOT,
    images::CIFAR10,
    images::CIFAR100,
    images::SVHN,
    images::CELEBA_32,
    images::CELEBA_CROP140,
    images::CELEBA_CROP148,
    images::CELEBA_ALIGNED,
    images::IMAGENET32,
    images::IMAGENET64,
    images::TINY_IMAGENET,
    images::TINY_IMAGENET_CROP,
    images::TINY_IMAGENET_RESIZE,
    images::LSUN_CROP,
    images::LSUN_RESIZE,
    images::TEXTURES,
    images::CELEBA64,
    images::SVHN64,
    images::NOTMNIST,
    vectors::HEPMASS_0,
    vectors::HEPMASS_1,
    vectors::MINIBOONE_0,
    vectors::MINIBOONE_1,
    vectors::CIFAR10_EMBEDDINGS,
    vectors::SVHN_EMBEDDINGS,
    vectors::CELEBA_EMBEDDINGS,
    built_in::SYNTHETIC_SHAPES,
    built_in::SYNTHETIC_STROKES,
    built_in::UNIFORM_NOISE,
    built_in::GAUSSIAN_NOISE,
    built_in::CONSTANT,
    built_in::SYNTHETIC_SHAPES_RGB,
    built_in::SYNTHETIC_STROKES_RGB,
    built_in::UNIFORM_NOISE_RGB,
    built_in::GAUSSIAN_NOISE_RGB,
    built_in::CONSTANT_RGB,
    built_in::SYNTHETIC_SHAPES_RGB64,
    built_in::SYNTHETIC_STROKES_RGB64,
    built_in::SYNTHETIC_CLUSTERS_0,
    built_in::SYNTHETIC_CLUSTERS_1,
    built_in::SYNTHETIC_EMBEDDINGS_0,
    built_in::SYNTHETIC_EMBEDDINGS_1,
    built_in::SYNTHETIC_EMBEDDINGS_2,
];

const GREY: Shape = Shape::Image([1, 28, 28]);
const OMNIGLOT_SHAPE: Shape = Shape::Image([1, 105, 105]);
const COLOUR: Shape = Shape::Image([3, 32, 32]);
const COLOUR_64: Shape = Shape::Image([3, 64, 64]);
const ALIGNED: Shape = Shape::Image([3, 218, 178]);
