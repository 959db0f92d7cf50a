//! Pictures on a screen: their bytes, and the wish for what is not here.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, ResourceId};

use super::{Picture, media::PictureBlob};
use crate::{
    Actor, App, AppError,
    consult::request::{RequestKind, find},
};

/// Which form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// What went first.
    Preview,
    /// For looking at.
    View,
    /// The file.
    Original,
}

impl Size {
    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::View => "view",
            Self::Original => "original",
        }
    }

    /// The size of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Preview, Self::View, Self::Original].into_iter().find(|size| size.word() == word)
    }
}

/// The bytes of a picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Picture {
    /// The blob of a size; the next smaller or larger where there is none of its own.
    pub fn blob(&self, size: Size) -> &PictureBlob {
        match size {
            Size::Preview => self.preview.as_ref().unwrap_or(&self.original),
            Size::View => self.view.as_ref().unwrap_or(&self.original),
            Size::Original => &self.original,
        }
    }
}

impl App {
    /// The bytes of a picture of a consult or referral, if they are here.
    pub fn picture(
        &self,
        actor: &Actor,
        kind: RequestKind,
        request: &ResourceId,
        picture: &str,
        size: Size,
    ) -> Result<Fetched, AppError> {
        let blob = self.picture_blob(actor, kind, request, picture, size)?;
        let bytes = self.blobs.get(&blob.hash)?.ok_or(AppError::NotFound)?;
        Ok(Fetched { media_type: blob.media_type, bytes })
    }

    /// Asks the road for a picture that is not here. For an emergency it goes in the class of
    /// care, else with the bulk.
    pub fn want_picture(
        self: &Arc<Self>,
        actor: &Actor,
        kind: RequestKind,
        request: &ResourceId,
        picture: &str,
        size: Size,
    ) -> Result<(), AppError> {
        let blob = self.picture_blob(actor, kind, request, picture, size)?;
        if blob.here.is_whole() {
            return Ok(());
        }
        let (_, asked) = find(&*self.view()?, kind, request)?;
        let urgent = asked.urgency < Class::Routine;
        self.want_blob(blob.hash, if urgent { Class::Care } else { Class::Bulk })
    }

    fn picture_blob(
        &self,
        actor: &Actor,
        kind: RequestKind,
        request: &ResourceId,
        picture: &str,
        size: Size,
    ) -> Result<PictureBlob, AppError> {
        let (_, asked) = find(&*self.view()?, kind, request)?;
        let action = match kind {
            RequestKind::Consult => Action::ReadConsult,
            RequestKind::Referral => Action::FollowReferral,
        };
        // The page that shows the picture was read and recorded as a whole.
        self.reading_once(actor, action, &asked.chart, |view| {
            let all = super::pictures(view, &*self.blobs, &asked.chart, &asked.reference())?;
            let found = all.iter().find(|one| one.id == picture).ok_or(AppError::NotFound)?;
            Ok(found.blob(size).clone())
        })
    }
}
